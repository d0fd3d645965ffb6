package main

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/web/client"
)

// TestARestoredStoreIsComparedWithItsBackends: a backup is older than the backends. Reconcile lists every difference and destroys nothing that the
// store does not know; without its master key the restored store is refused.
func TestARestoredStoreIsComparedWithItsBackends(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir, store := t.TempDir(), dbtest.SQLite(t)
	s := newSite(t, store, "first", fakeProvider(dir))
	file := strings.TrimPrefix(store, "sqlite://")
	p := s.run(t)
	kept := s.order(t, p, "fake:sync")
	s.awaitReady(t, p, kept.ID)
	p.stop(t)
	backup, err := os.ReadFile(file) // whole: the process that stopped took its log in
	if err != nil {
		t.Fatal(err)
	}
	p = s.run(t)
	if _, err := s.client().DestroyInstance(t.Context(), kept.ID); err != nil {
		t.Fatal(err)
	}
	backend := fake.New(fake.Options{Dir: dir})
	p.await(t, "end of the old instance", func() bool { left, err := backend.Leftovers(); return err == nil && len(left) == 0 })
	newer := s.order(t, p, "fake:sync")
	s.awaitReady(t, p, newer.ID)
	p.stop(t)
	for _, part := range []string{file + "-wal", file + "-shm"} {
		_ = os.Remove(part) // of the store that is given up
	}
	if err := os.WriteFile(file, backup, 0o600); err != nil {
		t.Fatal(err)
	}
	p = s.run(t)
	var r client.Reconciliation
	p.await(t, "comparison", func() bool {
		r, err = s.client().Reconcile(t.Context(), "")
		return err == nil && len(r.Skipped) == 0
	})
	var kinds []string
	for _, d := range r.Differences {
		kinds = append(kinds, d.Kind+" "+d.Instance+d.Backend)
		if d.Next == "" || d.Done == "" {
			t.Errorf("it does not say what to do: %+v", d)
		}
	}
	slices.Sort(kinds)
	if want := []string{"missing " + kept.ID, "unknown " + backend.NameOf(newer.ID)}; !slices.Equal(kinds, want) {
		t.Errorf("differences %q, want %q", kinds, want)
	}
	if left, err := backend.Leftovers(); err != nil || !slices.Equal(left, []string{"instance " + newer.ID}) {
		t.Error("something was destroyed, or made anew", left, err)
	}
	p.stop(t)
	s.withoutItsKey(t)
}

// withoutItsKey starts the market with a master key that is not the store's.
func (s site) withoutItsKey(t *testing.T) {
	t.Helper()
	c, _, err := loadConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(c.MasterKey); err != nil {
		t.Fatal(err)
	}
	p := start(t, "serve", "--config", s.config)
	if code := p.wait(t); code == 0 || !strings.Contains(p.out.String(), "Put the master key file back") {
		t.Errorf("it ended with %d and said %q", code, p.out.String())
	}
}
