package main

import (
	"database/sql"
	"fmt"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers/fake"
)

const oneInterval = "SELECT count(*) FROM intervals"

func fakeProvider(dir string) string {
	return fmt.Sprintf("- name: make-believe\n  driver: fake\n  region: eu\n  settings: {dir: %s}\n", dir)
}

// TestKillWhileASlowProvisionRuns: the process dies as the backend works for ten seconds. Started again it goes on where it was: the
// instance is ready no later than 2 s after the backend is, made once, charged once.
func TestKillWhileASlowProvisionRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	eachStore(t, func(t *testing.T, store string) {
		dir := t.TempDir()
		s := newSite(t, store, "first", fakeProvider(dir))
		backend := fake.New(fake.Options{Dir: dir})
		p := s.run(t)
		accepted := time.Now()
		i := s.order(t, p, "fake:slow")
		p.await(t, "call of the backend", func() bool { return backend.Made(i.ID) == 1 })
		p.kill()
		again := time.Now()
		p = s.run(t)
		t.Logf("answering again %s after the kill", time.Since(again).Round(time.Millisecond))
		s.awaitReady(t, p, i.ID)
		if took := time.Since(accepted); took > 12*time.Second {
			t.Errorf("ready %s after the order, want at most 12 s: the backend takes 10", took)
		}
		s.onceOnly(t, backend, i.ID)
	})
}

// TestKillAndASecondProcessTakesOver: the first process never comes back; one with another name finishes its work.
func TestKillAndASecondProcessTakesOver(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	s := newSite(t, dbtest.Postgres(t), "first", fakeProvider(dir))
	backend := fake.New(fake.Options{Dir: dir})
	first := s.run(t)
	i := s.order(t, first, "fake:slow")
	first.await(t, "call of the backend", func() bool { return backend.Made(i.ID) == 1 })
	other := s.twin(t, "second")
	second := other.run(t)
	first.kill()
	other.awaitReady(t, second, i.ID)
	other.onceOnly(t, backend, i.ID)
}

func (s site) onceOnly(t *testing.T, backend *fake.Driver, instance string) {
	t.Helper()
	if n := backend.Made(instance); n != 1 {
		t.Errorf("the backend made the object %d times", n)
	}
	if left, err := backend.Leftovers(); err != nil || len(left) != 1 {
		t.Errorf("the backend holds %v (error %v), want the one instance", left, err)
	}
	if n := s.count(t, oneInterval); n != 1 {
		t.Errorf("%d billing intervals, want 1", n)
	}
}

// TestKillWhileADatabaseIsMade: kill -9 at several moments of a real PostgreSQL provision. A process that starts again frees the leases of
// its former self, so the work is finished within 2 s of its being ready: one database, one interval.
func TestKillWhileADatabaseIsMade(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	// one after the other: they count the databases of one server
	var times []time.Duration
	for name, store := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		for n := range rounds(5) {
			for _, after := range []time.Duration{0, 15 * time.Millisecond, 40 * time.Millisecond} {
				t.Run(fmt.Sprintf("%s/%s/%d", name, after, n), func(t *testing.T) { times = append(times, killDatabase(t, store(t), after)) })
			}
		}
	}
	reportTimes(t, "a database that was being made at the kill, after the restarted process answers", "2 s", times)
}

func killDatabase(t *testing.T, store string, after time.Duration) (took time.Duration) {
	admin := dbtest.Postgres(t)
	s := newSite(t, store, "first", fmt.Sprintf("- name: pg\n  driver: postgres\n  region: eu\n  settings: {admin: '%s', tls: disable}\n", admin))
	before := databases(t, admin)
	p := s.run(t)
	i := s.order(t, p, "postgresql:dev")
	<-time.After(after) // the moment of the kill is what the case is about
	p.kill()
	p = s.run(t)
	answering := time.Now()
	s.awaitReady(t, p, i.ID)
	if took = time.Since(answering); took > 2*time.Second {
		t.Errorf("ready %s after the market answered again, want within 2 s", took)
	}
	made := databases(t, admin)
	for name := range before {
		delete(made, name)
	}
	if len(made) != 1 {
		t.Errorf("databases made: %v, want one", made)
	}
	if n := s.count(t, oneInterval); n != 1 {
		t.Errorf("%d billing intervals, want 1", n)
	}
	return took
}

func databases(t *testing.T, admin string) map[string]bool {
	t.Helper()
	db, err := sql.Open("pgx", admin)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT datname FROM pg_database")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names[name] = true
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return names
}
