package postgres_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// servers is a folder of real servers, one for each instance, that end with the test.
func servers(t testing.TB) *local.Fleet {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	if err := local.Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
	dir, err := local.Temporary("postgres-own")
	if err != nil {
		t.Fatal(err)
	}
	f, err := local.OpenFleet(dir, local.FleetOptions{Kind: "postgresql"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		_ = os.RemoveAll(dir)
	})
	if _, err := f.Template(t.Context()); err != nil {
		t.Fatal(err)
	}
	return f
}

func dedicated(t testing.TB, f *local.Fleet) *postgres.Driver {
	t.Helper()
	d := postgres.New(postgres.Settings{Servers: f})
	t.Cleanup(d.Close)
	return d
}

func TestConformanceOfDedicatedServers(t *testing.T) {
	t.Parallel()
	f := servers(t)
	open := func() *providers.Provider {
		return providers.New(providers.Settings{Name: "pg", Failures: 1000, Deadline: time.Minute}, dedicated(t, f), nil)
	}
	p := open()
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := providertest.Harness{
		Provider: p, Plan: list[0].Plans[0], Other: list[0].Plans[1], Bench: providertest.BenchOf(postgres.Login, postgres.Trespass, postgres.Cling),
		Leftovers: func(context.Context) (list []string, err error) {
			entries, err := os.ReadDir(f.Dir())
			for _, e := range entries {
				list = append(list, e.Name())
			}
			return list, err
		},
		Overfill: providertest.Fill(3 * (16 << 20)), Tight: providertest.Tightened(list[0].Plans[0], "storage_bytes", 16<<20),
		Reopen: func(context.Context) (*providers.Provider, error) { return open(), nil },
		Reset: func(ctx context.Context, i providers.Instance) error {
			su, err := ownAdmin(ctx, f, i.ID)
			if err != nil {
				return err
			}
			return reset(ctx, su, i.ID)
		},
		Restart: func(ctx context.Context, i providers.Instance) error {
			return f.Restart(ctx, providers.Name("pg", i.ID), nil)
		}, // by SIGKILL
		Use: func(ctx context.Context, i providers.Instance, n int) error {
			su, err := ownAdmin(ctx, f, i.ID)
			if err != nil {
				return err
			}
			return use(ctx, su, i.ID, n)
		},
	}
	providertest.Keep(t, "postgres, dedicated", providertest.Conform(t, 2*time.Minute, func(*testing.T) providertest.Harness { return h }))
}

// ownAdmin is the administrator's address of an instance's own server.
func ownAdmin(ctx context.Context, f *local.Fleet, instance string) (string, error) {
	p, err := f.Server(ctx, providers.Name("pg", instance))
	if err != nil {
		return "", err
	}
	password, err := p.Kept("admin")
	return "postgres://sutler:" + string(password) + "@" + p.Address + "/postgres?sslmode=disable", err
}

func shown(t testing.TB, c *pgx.Conn, setting string) (value string) {
	t.Helper()
	if err := c.QueryRow(t.Context(), `SHOW `+setting).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

// The plan's size is the server's, the data stay when it changes, and a size that the server does not start with leaves it as it was.
func TestDedicatedSizeFollowsThePlan(t *testing.T) {
	t.Parallel()
	f := servers(t)
	d := dedicated(t, f)
	i := made(t, d, "ins_size")
	_, c := bind(t, d, i, "bnd_size")
	a := connect(t, c["uri"].(string))
	if got := shown(t, a, "shared_buffers"); got != "32MB" {
		t.Errorf("shared_buffers %s", got)
	}
	execute(t, a, `CREATE TABLE kept AS SELECT 1 AS a`)
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	larger := i
	larger.Plan = list[0].Plans[1]
	if _, err := d.Update(t.Context(), i, larger); err != nil {
		t.Fatal(err)
	}
	if err := a.Ping(t.Context()); err == nil {
		t.Error("the server was not started again")
	}
	b := connect(t, c["uri"].(string)) // the same address
	if got := shown(t, b, "shared_buffers"); got != "128MB" {
		t.Errorf("shared_buffers %s", got)
	}
	execute(t, b, `SELECT * FROM kept`)
	if _, err := d.Update(t.Context(), i, larger); err != nil || b.Ping(t.Context()) != nil {
		t.Errorf("the same update again started it again: %v", err)
	}
	broken := larger
	broken.Plan.Limits = catalog.Limits{"memory_bytes": 1 << 62, "connections": 50}
	if _, err := d.Update(t.Context(), larger, broken); err == nil {
		t.Error("a server of that size started")
	}
	again := connect(t, c["uri"].(string))
	if got := shown(t, again, "shared_buffers"); got != "128MB" {
		t.Errorf("after a failed update: shared_buffers %s", got)
	}
	execute(t, again, `SELECT * FROM kept`)
}

func TestDedicatedConnectionLimitHolds(t *testing.T) {
	t.Parallel()
	d := dedicated(t, servers(t))
	i := made(t, d, "ins_full")
	b, c := bind(t, d, i, "bnd_full")
	for range i.Plan.Limits["connections"] {
		connect(t, c["uri"].(string))
	}
	if one, err := pgx.Connect(t.Context(), c["uri"].(string)); err == nil {
		one.Close(t.Context())
		t.Error("one connection more than the plan allows")
	}
	if _, err := d.Count(t.Context(), i); err != nil {
		t.Errorf("an app that uses all connections cannot be copied: %v", err)
	}
	if _, err := d.Unbind(t.Context(), i, b); err != nil {
		t.Errorf("an app that uses all connections cannot be unbound: %v", err)
	}
}

// A server that was killed comes back by itself with what was committed; its administrator's password is its own.
func TestDedicatedServerComesBack(t *testing.T) {
	t.Parallel()
	f := servers(t)
	d := dedicated(t, f)
	i := made(t, d, "ins_back")
	_, c := bind(t, d, i, "bnd_back")
	execute(t, connect(t, c["uri"].(string)), `CREATE TABLE kept AS SELECT 1 AS a`)
	if err := f.Restart(t.Context(), d.NameOf(i.ID), nil); err != nil { // by SIGKILL
		t.Fatal(err)
	}
	execute(t, connect(t, c["uri"].(string)), `SELECT * FROM kept`)
	in, err := d.Inspect(t.Context(), i)
	for late := time.Now().Add(30 * time.Second); fault.KindOf(err) == fault.Unavailable && time.Now().Before(late); { // the driver finds its old connections dead, one by one
		in, err = d.Inspect(t.Context(), i)
	}
	if err != nil || !in.Exists || in.Sessions["bnd_back"] == 0 {
		t.Errorf("%+v %v", in, err)
	}
	template, err := f.Template(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.About(d.NameOf(i.ID))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := pgx.Connect(t.Context(), "postgres://sutler:"+template.Password+"@"+p.Address+"/postgres?sslmode=disable"); err == nil {
		c.Close(t.Context())
		t.Error("the template's password still opens the server")
	}
}

func TestDedicatedGoneServer(t *testing.T) {
	f := servers(t)
	d := dedicated(t, f)
	i := providers.Instance{ID: "ins_gone", Params: json.RawMessage(`{}`)}
	b := providers.Binding{ID: "bnd_gone", Seed: make([]byte, 32)}
	if in, err := d.Inspect(t.Context(), i); err != nil || in.Exists {
		t.Errorf("%+v %v", in, err)
	}
	if _, _, err := d.Bind(t.Context(), i, b); fault.KindOf(err) != fault.Refused {
		t.Errorf("bind: %v", err)
	}
	for verb, f := range map[string]func() (providers.Progress, error){
		"unbind":      func() (providers.Progress, error) { return d.Unbind(t.Context(), i, b) },
		"deprovision": func() (providers.Progress, error) { return d.Deprovision(t.Context(), i) },
	} {
		if p, err := f(); err != nil || !p.Done {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

func TestBackupGoesFromSharedToDedicated(t *testing.T) {
	shared, own := driver(t, postgres.Address(superuser(t))), dedicated(t, servers(t))
	from, to := made(t, shared, "ins_onshared"), made(t, own, "ins_onown")
	_, c := bind(t, shared, from, "bnd_onshared")
	execute(t, connect(t, c["uri"].(string)), `CREATE TABLE t AS SELECT generate_series(1, 100) AS a`)
	var stream bytes.Buffer
	if err := errors.Join(shared.Backup(t.Context(), from, &stream), own.Restore(t.Context(), to, &stream)); err != nil {
		t.Fatal(err, fault.Of(err).Unwrap())
	}
	if n, err := own.Count(t.Context(), to); err != nil || n["public.t"] != 100 {
		t.Errorf("%v %v", n, err)
	}
}

func TestHowLongDedicatedTakes(t *testing.T) {
	f := servers(t)
	d := dedicated(t, f)
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var bare, provision, bound, unbound, removed time.Duration
	const rounds = 3
	for n := range rounds {
		bare += took(t, func() error { return bareServer(t) })
		i := providers.Instance{ID: "ins_time" + strconv.Itoa(n), Plan: list[0].Plans[0]}
		provision += took(t, func() error { _, err := d.Provision(t.Context(), i); return err })
		b := providers.Binding{ID: "bnd_time" + strconv.Itoa(n), Seed: make([]byte, 32)}
		var g providers.Grant
		bound += took(t, func() (err error) { g, _, err = d.Bind(t.Context(), i, b); return err })
		connect(t, g.Credentials["uri"].(string))
		unbound += took(t, func() error { _, err := d.Unbind(t.Context(), i, b); return err })
		removed += took(t, func() error { _, err := d.Deprovision(t.Context(), i); return err })
	}
	providertest.KeepTimings(t, "postgres, dedicated",
		providertest.Timing{Verb: "provision", Mean: provision / rounds, Bare: "initdb and postgres", Base: bare / rounds, Rounds: rounds},
		providertest.Timing{Verb: "bind", Mean: bound / rounds, Rounds: rounds},
		providertest.Timing{Verb: "unbind", Mean: unbound / rounds, Note: "with an open connection", Rounds: rounds},
		providertest.Timing{Verb: "deprovision", Mean: removed / rounds, Rounds: rounds})
}

// bareServer makes a server's folder and starts it, as a person would.
func bareServer(t *testing.T) error {
	t.Helper()
	dir, err := local.Temporary("postgres-bare")
	if err != nil {
		return err
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s, err := local.PostgreSQL(t.Context(), dir, "admin", false)
	if err == nil {
		t.Cleanup(func() { _ = s.Stop(); _ = os.RemoveAll(s.Dir) })
	}
	return err
}
