package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/web/client"
)

// TestBackupAndRestore walks through docs/operations.md on both stores, with a real PostgreSQL as the backend: the market is backed up while it serves
// and goes on, things are done behind its back, the store and its key are put back, and the comparison lists every difference. What the
// store does not know is not destroyed; with a wrong key, or without one, the market is refused.
func TestBackupAndRestore(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	eachStore(t, func(t *testing.T, store string) {
		d := newDrift(t, store)
		restore := d.backup(t)
		d.goOn(t)
		d.p.stop(t)
		restore()
		d.wrongKey(t)
		d.p = d.run(t)
		d.compare(t)
		d.settles(t)
	})
}

// drift is a market whose backends go on after its backup.
type drift struct {
	site
	p       *process
	admin   string // of the backend
	app     string
	changed client.Instance // its plan is changed after the backup
	doomed  client.Instance // destroyed after it
	late    client.Instance // gone before it, and at the backend again
	newer   client.Instance // made after it
	kept    client.Binding  // stays
	lost    client.Binding  // taken away after it
	ended   client.Binding  // taken away before it, and at the backend again
	fresh   client.Binding  // made after it
}

func newDrift(t *testing.T, store string) *drift {
	t.Helper()
	if err := local.Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
	server, err := local.PostgreSQL(t.Context(), t.TempDir(), "admin", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	d := &drift{admin: "postgres://sutler:admin@" + server.Address + "/postgres?sslmode=disable"}
	d.site = newSite(t, store, "first", fmt.Sprintf("- name: pg\n  driver: postgres\n  region: eu\n  settings: {admin: '%s', tls: disable}\n", d.admin))
	d.p = d.run(t)
	a, err := d.client().CreateApp(t.Context(), client.NewApp{Name: "web", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	d.app = a.ID
	d.changed, d.doomed, d.late = d.made(t, "changed"), d.made(t, "doomed"), d.made(t, "late")
	d.kept, d.lost, d.ended = d.bound(t, "KEPT"), d.bound(t, "LOST"), d.bound(t, "ENDED")
	d.ends(t, d.ended)
	d.destroyed(t, d.late)
	return d
}

func (d *drift) made(t *testing.T, name string) client.Instance {
	t.Helper()
	var made client.Ordered
	d.p.await(t, "accepted order", func() (ok bool) {
		var err error
		made, err = d.client().CreateInstance(t.Context(), client.NewInstance{Want: "postgresql:dev", Org: devOrg, Project: devProject, Name: name})
		return err == nil
	})
	d.awaitReady(t, d.p, made.ID)
	return made.Instance
}

func (d *drift) destroyed(t *testing.T, i client.Instance) {
	t.Helper()
	if _, err := d.client().DestroyInstance(t.Context(), i.ID); err != nil {
		t.Fatal(err)
	}
	d.p.await(t, "end of "+i.Name, func() bool {
		return d.count(t, "SELECT count(*) FROM instances WHERE id = '"+i.ID+"' AND state = 'gone'") == 1
	})
}

func (d *drift) bound(t *testing.T, alias string) client.Binding {
	t.Helper()
	b, err := d.client().Bind(t.Context(), client.NewBinding{Instance: d.changed.ID, App: d.app, Alias: alias})
	if err != nil {
		t.Fatal(err)
	}
	d.p.await(t, "binding", func() bool {
		b, err = d.client().Binding(t.Context(), b.ID)
		return err == nil && b.State == "ready"
	})
	return b
}

func (d *drift) ends(t *testing.T, b client.Binding) {
	t.Helper()
	if _, err := d.client().Unbind(t.Context(), b.ID); err != nil {
		t.Fatal(err)
	}
	d.p.await(t, "end of a binding", func() bool {
		return d.count(t, "SELECT count(*) FROM bindings WHERE id = '"+b.ID+"' AND state = 'gone'") == 1
	})
}

// backup does what docs/operations.md says, while the market serves. It gives what puts the store back.
func (d *drift) backup(t *testing.T) (restore func()) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sutler.backup")
	if path, ok := strings.CutPrefix(d.store, "sqlite://"); ok {
		var said bytes.Buffer
		args := []string{"store", "backup", file, "--config", d.config}
		on := terminal{in: strings.NewReader(""), out: &said, err: &said, env: func(string) string { return "" }}
		if code := execute(t.Context(), args, on); code != exitOK || !strings.Contains(said.String(), "master key") {
			t.Fatalf("it ended with %d: %s", code, said.String())
		}
		if code := execute(t.Context(), args, on); code != exitConflict {
			t.Errorf("a backup was written over: %d", code)
		}
		return func() {
			for _, part := range []string{path + "-wal", path + "-shm"} {
				_ = os.Remove(part) // of the store that is given up
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	postgresTool(t, "pg_dump", "--format=custom", "--file="+file, d.store)
	return func() { postgresTool(t, "pg_restore", "--clean", "--if-exists", "--dbname="+d.store, file) }
}

// postgresTool runs a program that lies beside the server's.
func postgresTool(t *testing.T, name string, args ...string) {
	t.Helper()
	server, err := local.Program("postgresql")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), filepath.Join(filepath.Dir(server), name), args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", name, err, out)
	}
}

// goOn is what happens after the backup: by the market's own doors, and behind its back.
func (d *drift) goOn(t *testing.T) {
	t.Helper()
	d.destroyed(t, d.doomed)
	d.newer = d.made(t, "newer")
	d.ends(t, d.lost)
	d.fresh = d.bound(t, "FRESH")
	d.behind(t, "CREATE DATABASE "+databaseOf(d.late))
	group, role := providers.Name("gr", d.changed.ID), providers.Name("u", d.ended.ID)
	d.behind(t, "CREATE ROLE "+role+" LOGIN PASSWORD 'late' IN ROLE "+group)
	d.behind(t, "COMMENT ON ROLE "+role+" IS '"+d.ended.ID+"'")
	if _, err := d.client().UpdateInstance(t.Context(), client.Place{Org: devOrg, Project: devProject}, d.changed.ID, client.InstanceChange{Plan: "small"}); err != nil {
		t.Fatal(err)
	}
	d.p.await(t, "change of a plan", func() bool {
		return d.count(t, "SELECT count(*) FROM instances WHERE id = '"+d.changed.ID+"' AND plan = 'small' AND state = 'ready'") == 1
	})
}

func databaseOf(i client.Instance) string { return postgres.New(postgres.Settings{}).NameOf(i.ID) }

// behind does something at the backend that the market does not know of.
func (d *drift) behind(t *testing.T, query string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), d.admin)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	if _, err := c.Exec(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

// holds tells whether the backend has a database or a role.
func (d *drift) holds(t *testing.T, name string) (there bool) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), d.admin)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	query := "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) OR EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
	if err := c.QueryRow(t.Context(), query, name).Scan(&there); err != nil {
		t.Fatal(err)
	}
	return there
}

// wrongKey starts the market with another market's key, and with none.
func (d *drift) wrongKey(t *testing.T) {
	t.Helper()
	c, _, err := loadConfig(d.config)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(c.MasterKey)
	if err != nil {
		t.Fatal(err)
	}
	stranger := newSite(t, dbtest.SQLite(t), "first", fakeProvider(t.TempDir()))
	other, err := os.ReadFile(filepath.Join(filepath.Dir(stranger.config), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	for next, text := range map[string][]byte{"Use the master key file that was made together with this store": other, "Put the master key file back": nil} {
		if err := os.Remove(c.MasterKey); err != nil {
			t.Fatal(err)
		}
		if text != nil {
			if err := os.WriteFile(c.MasterKey, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		p := start(t, "serve", "--config", d.config)
		if code := p.wait(t); code == exitOK || !strings.Contains(p.out.String(), next) {
			t.Errorf("it ended with %d and said %q", code, p.out)
		}
		if text == nil {
			if err := os.WriteFile(c.MasterKey, nil, 0o600); err != nil { // for the next to remove
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(c.MasterKey, key, 0o600); err != nil {
		t.Fatal(err)
	}
}

// reconciles runs `sutler reconcile --json` until the backend was asked.
func (d *drift) reconciles(t *testing.T) (r client.Reconciliation) {
	t.Helper()
	d.p.await(t, "comparison", func() bool {
		var out, said bytes.Buffer
		env := map[string]string{"SUTLER_URL": d.url, "SUTLER_TOKEN": d.token}
		code := execute(t.Context(), []string{"reconcile", "--json"}, terminal{in: strings.NewReader(""), out: &out, err: &said, env: func(k string) string { return env[k] }})
		if code != exitOK {
			t.Fatalf("it ended with %d: %s", code, said.String())
		}
		r = client.Reconciliation{}
		if err := json.Unmarshal(out.Bytes(), &r); err != nil {
			t.Fatal(err, out.String())
		}
		return len(r.Skipped) == 0
	})
	return r
}

// compare is the first comparison after the restore that somebody asks for: all that differs, and nothing else. What landed late the market's own
// round may have found before; then its trail tells.
func (d *drift) compare(t *testing.T) {
	t.Helper()
	var got []string
	for _, x := range d.reconciles(t).Differences {
		got = append(got, strings.Join([]string{x.Kind, x.Instance, x.Binding, x.Backend}, " "))
		if x.Done == "" || x.Next == "" && x.Kind != "left" && x.Kind != "access_left" {
			t.Errorf("it does not say what is done, or what to do: %+v", x)
		}
	}
	late := []string{"access_left " + d.changed.ID + " " + d.ended.ID + " ", "left " + d.late.ID + "  "}
	got = slices.DeleteFunc(got, func(x string) bool { return slices.Contains(late, x) })
	if n := d.count(t, "SELECT count(*) FROM audit_rows WHERE action = 'reconcile.remove'"); n != len(late) {
		t.Errorf("%d removals are in the trail, want %d", n, len(late))
	}
	slices.Sort(got)
	want := []string{
		"access_missing " + d.changed.ID + " " + d.lost.ID + " ",
		"access_unknown " + d.changed.ID + " " + d.fresh.ID + " " + d.fresh.ID,
		"missing " + d.doomed.ID + "  ",
		"unknown   " + databaseOf(d.newer),
	}
	if !slices.Equal(got, want) {
		t.Errorf("differences\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// settles waits until what landed late is removed; all else stays as it is. Then a database goes by hand and comes back.
func (d *drift) settles(t *testing.T) {
	t.Helper()
	d.p.await(t, "removal of what landed late", func() bool { return !d.holds(t, databaseOf(d.late)) && !d.holds(t, providers.Name("u", d.ended.ID)) })
	for name, there := range map[string]bool{
		databaseOf(d.newer): true, providers.Name("u", d.fresh.ID): true, providers.Name("u", d.kept.ID): true, databaseOf(d.changed): true,
		databaseOf(d.doomed): false, providers.Name("u", d.lost.ID): false,
	} {
		if d.holds(t, name) != there {
			t.Errorf("%s at the backend: %t", name, !there)
		}
	}
	d.ends(t, d.lost)
	d.health(t, "changed", "")
	d.behind(t, "ALTER DATABASE "+databaseOf(d.changed)+" RENAME TO away")
	d.health(t, "changed", "degraded")
	if d.holds(t, databaseOf(d.changed)) {
		t.Error("it was made anew")
	}
	d.behind(t, "ALTER DATABASE away RENAME TO "+databaseOf(d.changed))
	d.health(t, "changed", "")
}

// health compares once and looks what an instance's health is then.
func (d *drift) health(t *testing.T, name, want string) {
	t.Helper()
	d.reconciles(t)
	i, err := d.client().Instance(t.Context(), client.Place{Org: devOrg, Project: devProject}, name)
	if err != nil || i.Health != want {
		t.Errorf("%s: health %q, want %q (%v)", name, i.Health, want, err)
	}
}
