package main

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

// TestALongerWayToABackendIsFlagged: an app is measured for a while, then the way to its backend gets longer. What was measured first is dated
// back by an hour, for "before" is what is older than a quarter of one.
func TestALongerWayToABackendIsFlagged(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	var pause atomic.Int64
	admin := dbtest.Postgres(t)
	server, err := url.Parse(admin)
	if err != nil {
		t.Fatal(err)
	}
	address := relay(t, "127.0.0.1:0", server.Host, func() time.Duration { return time.Duration(pause.Load()) })
	store := filepath.Join(t.TempDir(), "sutler.db")
	s := newSite(t, "sqlite://"+store, "first", fmt.Sprintf("- name: pg\n  driver: postgres\n  region: eu\n  settings: {admin: '%s', tls: disable, advertise: {default: %q}}\n", admin, address))
	p := s.run(t)
	s.awaitReady(t, p, s.order(t, p, "postgresql:dev").ID)
	s.must(t, "app", "create", "web")
	s.must(t, "bind", "thing", "--app", "web")
	s.must(t, "run", "--app", "web", "--probe-every", "50ms", "--", "sleep", "3")
	if out := s.must(t, "info", "thing"); strings.Contains(out, "WORSE") || !strings.Contains(out, "latency") {
		t.Fatalf("before:\n%s", out)
	}
	p.stop(t)
	db, err := sql.Open("sqlite", "file:"+store)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE latencies SET at = at - 3600000000"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p = s.run(t)
	pause.Store(int64(200 * time.Millisecond))
	p.await(t, "flag on the longer way", func() bool {
		s.must(t, "run", "--app", "web", "--probe-every", "50ms", "--", "sleep", "2")
		return strings.Contains(s.must(t, "info", "thing"), "WORSE than before")
	})
}
