package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/minio/minio-go/v7"

	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// twice is a market with two providers of each kind that can be copied, all of them real servers, and an app that is bound to what it buys.
type twice struct {
	site
	*process
	t       *testing.T
	at      client.Place
	objects string // where the first S3 server keeps its objects
	folder  string // where backups are kept when not in its bucket
}

const secretText = "swordfish-in-the-clear"

// serverSecret is the administrator's password of every server.
const serverSecret = "secret-of-the-administrator"

// startTwice starts the servers beside each other, and the market with its backups in a bucket.
func startTwice(t *testing.T) *twice {
	t.Helper()
	if err := local.InstallS3(t.Context(), filepath.Join("..", "..", ".cache", "bin")); err != nil {
		t.Fatal(err)
	}
	starts := map[string]func(context.Context, string) (*local.Server, error){
		"postgresql": func(ctx context.Context, dir string) (*local.Server, error) {
			return local.PostgreSQL(ctx, dir, serverSecret, true)
		},
		"mysql": func(ctx context.Context, dir string) (*local.Server, error) {
			return local.MySQL(ctx, dir, serverSecret, true)
		},
		"s3": func(ctx context.Context, dir string) (*local.Server, error) { return local.S3(ctx, dir, serverSecret) },
	}
	var all sync.WaitGroup
	servers := map[string]*[2]*local.Server{}
	for kind, start := range starts {
		pair := &[2]*local.Server{}
		servers[kind] = pair
		for n := range 2 {
			all.Go(func() {
				dir, err := local.Temporary(kind)
				if err == nil {
					err = local.Ensure(t.Context(), kind)
				}
				if err == nil {
					pair[n], err = start(t.Context(), dir)
				}
				if err != nil {
					t.Error(kind, err)
				}
			})
		}
	}
	all.Wait()
	for _, pair := range servers {
		for _, s := range pair {
			if s != nil {
				t.Cleanup(func() { _ = s.Stop(); _ = os.RemoveAll(s.Dir) })
			}
		}
	}
	if t.Failed() {
		t.FailNow()
	}
	m := &twice{t: t, at: client.Place{Org: devOrg, Project: devProject}, objects: filepath.Join(servers["s3"][0].Dir, "objects"), folder: t.TempDir()}
	var text strings.Builder
	for n, side := range []string{"a", "b"} {
		pg, my, s3 := servers["postgresql"][n], servers["mysql"][n], servers["s3"][n]
		fmt.Fprintf(&text, `- {name: pg-%[1]s, driver: postgres, region: %[1]s, settings: {admin: "postgres://%[2]s:%[3]s@%[4]s/postgres?sslmode=disable"}, offerings: [{offering: postgresql, name: pg-%[1]s, plans: [{name: dev}]}]}
- {name: my-%[1]s, driver: mysql, region: %[1]s, settings: {admin: "mysql://%[5]s:%[3]s@%[6]s/"}, offerings: [{offering: mysql, name: my-%[1]s, plans: [{name: dev}]}]}
- {name: s3-%[1]s, driver: s3, region: %[1]s, settings: {endpoint: "http://%[7]s", access_key: %[8]s, secret_key: %[3]s}, offerings: [{offering: s3, name: s3-%[1]s, plans: [{name: dev}]}]}
- {name: rd-%[1]s, driver: redis, region: %[1]s, settings: {dir: %[9]s}, offerings: [{offering: redis, name: rd-%[1]s, plans: [{name: dev}]}]}
`, side, pg.User, serverSecret, pg.Address, my.User, my.Address, s3.Address, s3.User, fleetFolder(t))
	}
	store := minioOf(t, servers["s3"][0].Address, servers["s3"][0].User, serverSecret)
	if err := store.MakeBucket(t.Context(), "market-backups", minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&text, "egress: [127.0.0.0/8]\nbackups: {bucket: {endpoint: %q, plain: true, name: market-backups, region: us-east-1, access_key: %s, secret_key: %s}}\n",
		servers["s3"][0].Address, servers["s3"][0].User, serverSecret)
	m.site = newSite(t, "sqlite://"+filepath.Join(t.TempDir(), "sutler.db"), "first", text.String())
	m.process = m.run(t)
	if _, err := m.client().CreateApp(t.Context(), client.NewApp{Name: "guestbook", Org: devOrg, Project: devProject}); err != nil {
		t.Fatal(err)
	}
	return m
}

// fleetFolder is a folder for servers of one's own, which outlive the market and are ended with the test.
func fleetFolder(t *testing.T) string {
	t.Helper()
	dir, err := local.Temporary("redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f, err := local.OpenFleet(dir, local.FleetOptions{Kind: "redis", Detached: true})
		if err != nil {
			t.Error(err)
			return
		}
		for _, name := range f.Names() {
			if err := f.Remove(name); err != nil {
				t.Error(err)
			}
		}
		f.Close()
		_ = os.RemoveAll(dir)
	})
	return dir
}

// keepInFolder lets the market, when it starts the next time, keep its backups in a folder.
func (m *twice) keepInFolder() {
	m.t.Helper()
	text, err := os.ReadFile(m.config)
	if err != nil {
		m.t.Fatal(err)
	}
	before, _, _ := strings.Cut(string(text), "backups:")
	if err := os.WriteFile(m.config, []byte(before+"backups: {folder: "+m.folder+"}\n"), 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// buy orders an instance and binds the app to it under an alias.
func (m *twice) buy(want, name, alias string) client.Instance {
	m.t.Helper()
	var made client.Ordered
	m.await(m.t, "accepted order of "+want, func() (ok bool) {
		var err error
		made, err = m.client().CreateInstance(m.t.Context(), client.NewInstance{Want: want, Org: devOrg, Project: devProject, Name: name})
		return err == nil
	})
	m.awaitReady(m.t, m.process, made.ID)
	m.bind(made.ID, alias)
	return made.Instance
}

func (m *twice) bind(instance, alias string) {
	m.t.Helper()
	bd, err := m.client().Bind(m.t.Context(), client.NewBinding{Instance: instance, App: "guestbook", Alias: alias, Org: devOrg, Project: devProject})
	if err != nil {
		m.t.Fatal(err)
	}
	m.await(m.t, "binding "+alias, func() bool {
		bd, err = m.client().Binding(m.t.Context(), bd.ID)
		return err == nil && bd.State == "ready"
	})
}

// backedUp makes a backup and waits for it.
func (m *twice) backedUp(name string) client.Backup {
	m.t.Helper()
	bk, err := m.client().BackUp(m.t.Context(), m.at, name)
	if err != nil {
		m.t.Fatal(err)
	}
	m.await(m.t, "backup of "+name, func() bool {
		if bk, err = m.client().Backup(m.t.Context(), bk.ID); err != nil || bk.State == "failed" {
			m.t.Fatal(bk.Note, err)
		}
		return bk.State == "ready"
	})
	if bk.Bytes == 0 || len(bk.Counts) == 0 {
		m.t.Errorf("%+v", bk)
	}
	return bk
}

// restored makes a new instance of a backup at another provider, and binds the app to it.
func (m *twice) restored(bk client.Backup, provider, alias string) {
	m.t.Helper()
	made, err := m.client().Restore(m.t.Context(), bk.ID, client.Restoration{Provider: provider})
	if err != nil {
		m.t.Fatal(err)
	}
	if made.Provider != provider {
		m.t.Errorf("it was made at %s", made.Provider)
	}
	m.awaitReady(m.t, m.process, made.ID)
	m.bind(made.ID, alias)
}

// comes waits until the move of an instance is in a state.
func (m *twice) comes(name, state string) (mv client.Move) {
	m.t.Helper()
	m.await(m.t, "move that is "+state, func() bool {
		var err error
		if mv, err = m.client().Move(m.t.Context(), m.at, name); err != nil || mv.EndedAt != nil && mv.State != state {
			m.t.Fatalf("%+v %v", mv, err)
		}
		return mv.State == state
	})
	return mv
}

// nothingInClear looks through every file under a folder.
func (m *twice) nothingInClear(dir string) {
	m.t.Helper()
	files := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		files++
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(secretText)) {
			m.t.Errorf("%s holds an app's data in clear", path)
		}
		return err
	})
	if err != nil || files == 0 {
		m.t.Errorf("%d files are kept in %s: %v", files, dir, err)
	}
}

// TestDataGoFromServerToServer backs up, restores and moves what an app wrote, on real servers of four kinds through the real program: a backup goes
// through a bucket, or a folder, and comes back at another provider; a move survives the end of the market, and a rollback finds what was there.
func TestDataGoFromServerToServer(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers")
	}
	t.Parallel()
	m := startTwice(t)
	kinds := []struct {
		offering, alias string
		kept            kept
	}{{"pg", "PG", postgresTable()}, {"my", "MY", mysqlTable()}, {"rd", "RD", redisKey()}, {"s3", "OBJ", s3Object()}}
	for _, k := range kinds {
		m.buy(k.offering+"-a:dev", k.offering, k.alias)
		k.kept.put(t, m.vars(), k.alias, secretText+" "+k.offering)
		m.restored(m.backedUp(k.offering), k.offering+"-b", k.alias+"_COPY")
		if got := k.kept.get(t, m.vars(), k.alias+"_COPY"); got != secretText+" "+k.offering {
			t.Errorf("%s: the copy holds %q", k.offering, got)
		}
	}
	m.nothingInClear(filepath.Join(m.objects, "market-backups"))
	m.keepInFolder()
	for _, k := range kinds[:3:3] {
		if k.offering != "my" {
			m.movesAround(k.offering, k.alias, k.kept)
		}
	}
	m.nothingInClear(m.folder)
}

// movesAround moves an instance while the market is killed, takes that back, and moves it for good.
func (m *twice) movesAround(name, alias string, k kept) {
	t := m.t
	t.Helper()
	old := m.vars()
	to := client.Relocation{Provider: name + "-b"}
	if _, err := m.client().MoveInstance(t.Context(), m.at, name, to); err != nil {
		t.Fatal(err)
	}
	m.kill()
	m.process = m.run(t)
	mv := m.comes(name, "moved")
	if mv.Bytes == 0 || len(mv.Copied) == 0 || fmt.Sprint(mv.Copied) != fmt.Sprint(mv.Counted) {
		t.Errorf("%+v", mv)
	}
	now := m.vars()
	if len(now) != len(old) || now[alias+"_URL"] == old[alias+"_URL"] || k.get(t, now, alias) != secretText+" "+name {
		t.Errorf("%s: %d variables, before %d", name, len(now), len(old))
	}
	k.put(t, now, alias, "written since")
	if _, err := m.client().RollBackMove(t.Context(), m.at, name, client.Return{Name: name}); err != nil {
		t.Fatal(err)
	}
	m.comes(mv.Instance, "rolled back")
	m.awaitReady(t, m.process, mv.Instance)
	if back := m.vars(); back[alias+"_URL"] != old[alias+"_URL"] || k.get(t, back, alias) != secretText+" "+name {
		t.Errorf("%s is not as it was", name)
	}
	if _, err := m.client().MoveInstance(t.Context(), m.at, name, to); err != nil {
		t.Fatal(err)
	}
	m.comes(name, "moved")
	if _, err := m.client().ConfirmMove(t.Context(), m.at, name); err != nil {
		t.Fatal(err)
	}
	m.await(t, "end of the old instance", func() bool {
		i, err := m.client().Instance(t.Context(), m.at, mv.Instance)
		return err != nil || i.State == "gone"
	})
	if got := k.get(t, m.vars(), alias); got != secretText+" "+name {
		t.Errorf("%s: after all it holds %q", name, got)
	}
	m.backedUp(name) // into the folder
}
