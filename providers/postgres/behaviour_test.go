package postgres_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func driver(t testing.TB, admin func() (string, error)) *postgres.Driver {
	t.Helper()
	d := postgres.New(postgres.Settings{Admin: admin, SSLMode: "disable"})
	t.Cleanup(d.Close)
	return d
}

// made provisions an instance of the smallest plan that goes when the test ends.
func made(t testing.TB, d *postgres.Driver, id string) providers.Instance {
	t.Helper()
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := providers.Instance{ID: id, Plan: list[0].Plans[0], Params: json.RawMessage(`{}`)}
	if p, err := d.Provision(t.Context(), i); err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	t.Cleanup(func() {
		if _, err := d.Deprovision(context.Background(), i); err != nil {
			t.Error(err)
		}
	})
	return i
}

func bind(t testing.TB, d *postgres.Driver, i providers.Instance, id string) (providers.Binding, map[string]any) {
	t.Helper()
	b := providers.Binding{ID: id, Seed: []byte("0123456789abcdef" + id)}
	g, p, err := d.Bind(t.Context(), i, b)
	if err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	return b, g.Credentials
}

func TestProviderStartsBeforeItsServer(t *testing.T) {
	su := superuser(t)
	var there atomic.Bool
	d := driver(t, func() (string, error) {
		if !there.Load() {
			return "", fault.Unavailable.Errorf("PostgreSQL is still starting.")
		}
		return su, nil
	})
	p := providers.New(providers.Settings{Name: "pg"}, d, nil)
	if err := p.Probe(t.Context()); err == nil || p.Status() != providers.Starting || !strings.Contains(p.Why(), "still starting") {
		t.Errorf("%s (%s): %v", p.Status(), p.Why(), err)
	}
	if list, err := p.Offerings(t.Context()); err != nil || len(list[0].Plans) != 3 {
		t.Errorf("what is on sale cannot be told: %v", err)
	}
	if _, err := p.Provision(t.Context(), providers.Instance{ID: "ins_early"}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("an early call: %v", err)
	}
	there.Store(true)
	if err := p.Probe(t.Context()); err != nil || p.Status() != providers.Up {
		t.Errorf("%s: %v", p.Status(), err)
	}
}

func TestUnreachableServerIsUnavailable(t *testing.T) {
	port, err := local.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	d := driver(t, postgres.Address("postgres://admin:hunter2@127.0.0.1:"+strconv.Itoa(port)+"/postgres"))
	p := providers.New(providers.Settings{Name: "pg"}, d, slog.New(slog.NewTextHandler(&log, nil)))
	_, err = p.Provision(t.Context(), providers.Instance{ID: "ins_x"})
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if strings.Contains(log.String()+err.Error(), "hunter2") {
		t.Errorf("the administrator's password leaked: %s", log.String())
	}
}

func TestConnectionLimitHolds(t *testing.T) {
	for name, admin := range map[string]string{"superuser": superuser(t), "broker": broker(t)} {
		t.Run(name, func(t *testing.T) {
			d := driver(t, postgres.Address(admin))
			i := made(t, d, "ins_limit_"+name)
			b, c := bind(t, d, i, "bnd_limit_"+name)
			for open := int64(0); open < i.Plan.Limits["connections"]; {
				one, err := pgx.Connect(t.Context(), c["uri"].(string))
				if e, ok := errors.AsType[*pgconn.PgError](err); ok && e.Code == "53300" {
					continue // the server's own housekeeping takes a place now and then
				}
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { one.Close(context.Background()) })
				open++
			}
			if one, err := pgx.Connect(t.Context(), c["uri"].(string)); err == nil {
				one.Close(t.Context())
				t.Error("one connection more than the plan allows")
			}
			if _, err := d.Unbind(t.Context(), i, b); err != nil {
				t.Errorf("an app that uses all connections cannot be unbound: %v", err)
			}
		})
	}
}

func TestNoPasswordInTheServersLog(t *testing.T) {
	su := connect(t, superuser(t))
	execute(t, su, `ALTER SYSTEM SET log_statement = 'all'`)
	execute(t, su, `SELECT pg_reload_conf()`)
	t.Cleanup(func() {
		_, _ = su.Exec(context.Background(), `ALTER SYSTEM RESET log_statement`) // the server goes with the test
		_, _ = su.Exec(context.Background(), `SELECT pg_reload_conf()`)
	})
	d := driver(t, postgres.Address(superuser(t)))
	i := made(t, d, "ins_log")
	_, c := bind(t, d, i, "bnd_log")
	connect(t, c["uri"].(string))
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.Log)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte("SCRAM-SHA-256")) {
		t.Fatal("the log does not show the statement at all: this test proves nothing")
	}
	if bytes.Contains(text, []byte(c["password"].(string))) {
		t.Error("the server's log holds a password")
	}
}

func TestDestroyedByHand(t *testing.T) {
	d := driver(t, postgres.Address(superuser(t)))
	i := made(t, d, "ins_byhand")
	b, c := bind(t, d, i, "bnd_byhand")
	execute(t, connect(t, superuser(t)), `DROP DATABASE "`+c["database"].(string)+`"`)
	if in, err := d.Inspect(t.Context(), i); err != nil || in.Exists {
		t.Errorf("%+v %v", in, err)
	}
	if _, _, err := d.Bind(t.Context(), i, b); fault.KindOf(err) != fault.Refused {
		t.Errorf("bind: %v", err)
	}
	if _, err := d.Read(t.Context(), i); fault.KindOf(err) != fault.Refused {
		t.Errorf("read: %v", err)
	}
	if p, err := d.Unbind(t.Context(), i, b); err != nil || !p.Done {
		t.Errorf("unbind: %v", err)
	}
}

func TestInspectShowsSessions(t *testing.T) {
	d := driver(t, postgres.Address(superuser(t)))
	i := made(t, d, "ins_sessions")
	_, c := bind(t, d, i, "bnd_'quoted\\")
	bind(t, d, i, "bnd_quiet")
	connect(t, c["uri"].(string))
	in, err := d.Inspect(t.Context(), i)
	if err != nil || in.Sessions["bnd_'quoted\\"] != 1 || len(in.Sessions) != 2 || in.Sessions["bnd_quiet"] != 0 {
		t.Errorf("%+v %v", in, err)
	}
}

// A neighbour's open transaction on what the unbound app owns delays the end of Unbind, not the end of the access.
func TestUnbindBehindANeighboursTransaction(t *testing.T) {
	d := driver(t, postgres.Address(superuser(t)))
	i := made(t, d, "ins_locks")
	b, mine := bind(t, d, i, "bnd_owner")
	_, theirs := bind(t, d, i, "bnd_neighbour")
	owner, neighbour := connect(t, mine["uri"].(string)), connect(t, theirs["uri"].(string))
	execute(t, owner, `SET ROLE NONE; CREATE SCHEMA own; CREATE TABLE own.t (a int); GRANT USAGE ON SCHEMA own TO PUBLIC; GRANT SELECT ON own.t TO PUBLIC`)
	execute(t, neighbour, `BEGIN; SELECT * FROM own.t`)
	if _, err := d.Unbind(t.Context(), i, b); fault.KindOf(err) != fault.Busy {
		t.Errorf("got %v", err)
	}
	if _, err := owner.Exec(t.Context(), `SELECT 1`); err == nil {
		t.Error("the open connection lives")
	}
	if c, err := pgx.Connect(t.Context(), mine["uri"].(string)); err == nil {
		c.Close(t.Context())
		t.Error("the login works")
	}
	execute(t, neighbour, `COMMIT`)
	if p, err := d.Unbind(t.Context(), i, b); err != nil || !p.Done {
		t.Errorf("after the neighbour's transaction: %v", err)
	}
	execute(t, neighbour, `INSERT INTO own.t VALUES (1)`) // it belongs to the group now
}

func TestHowLongItTakes(t *testing.T) {
	d := driver(t, postgres.Address(superuser(t)))
	su := connect(t, superuser(t))
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var create, role, provision, bound, unbound, removed time.Duration
	const rounds = 5
	for n := range rounds {
		i := providers.Instance{ID: "ins_time" + strconv.Itoa(n), Plan: list[0].Plans[0]}
		create += took(t, func() error { _, err := su.Exec(t.Context(), `CREATE DATABASE bare TEMPLATE template0`); return err })
		execute(t, su, `DROP DATABASE bare`)
		role += took(t, func() error { _, err := su.Exec(t.Context(), `CREATE ROLE bare LOGIN PASSWORD 'bare'`); return err })
		execute(t, su, `DROP ROLE bare`)
		provision += took(t, func() error { _, err := d.Provision(t.Context(), i); return err })
		b := providers.Binding{ID: "bnd_time" + strconv.Itoa(n), Seed: make([]byte, 32)}
		var g providers.Grant
		bound += took(t, func() (err error) { g, _, err = d.Bind(t.Context(), i, b); return err })
		connect(t, g.Credentials["uri"].(string))
		unbound += took(t, func() error { _, err := d.Unbind(t.Context(), i, b); return err })
		removed += took(t, func() error { _, err := d.Deprovision(t.Context(), i); return err })
	}
	providertest.KeepTimings(t, "postgres",
		providertest.Timing{Verb: "provision", Mean: provision / rounds, Bare: "CREATE DATABASE", Base: create / rounds, Rounds: rounds},
		providertest.Timing{Verb: "bind", Mean: bound / rounds, Bare: "CREATE ROLE", Base: role / rounds, Rounds: rounds},
		providertest.Timing{Verb: "unbind", Mean: unbound / rounds, Note: "with an open connection", Rounds: rounds},
		providertest.Timing{Verb: "deprovision", Mean: removed / rounds, Rounds: rounds})
}

func took(t *testing.T, f func() error) time.Duration {
	t.Helper()
	began := time.Now()
	if err := f(); err != nil {
		t.Fatal(err)
	}
	return time.Since(began)
}
