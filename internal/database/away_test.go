package database_test

import (
	"context"
	"database/sql"
	"errors"
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// relay stands between a store and its server.
type relay struct {
	listener net.Listener
	mu       sync.Mutex
	open     []net.Conn
	away     bool
}

// through opens a store of PostgreSQL with one table, words, behind a relay.
func through(t *testing.T) (*relay, *database.DB, *sql.DB) {
	t.Helper()
	at, err := url.Parse(dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	direct, err := sql.Open("pgx", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = direct.Close() })
	if _, err := direct.ExecContext(t.Context(), "CREATE TABLE words (id TEXT PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	r := &relay{}
	if r.listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	go r.serve(at.Host)
	at.Host = r.listener.Addr().String()
	db, err := database.Open(t.Context(), at.String(), "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		r.cut()
		_ = db.Close()
		_ = r.listener.Close()
	})
	return r, db, direct
}

func (r *relay) serve(server string) {
	for {
		near, err := r.listener.Accept()
		if err != nil {
			return
		}
		far, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", server)
		r.mu.Lock()
		if r.away || err != nil {
			_ = near.Close()
			r.mu.Unlock()
			continue
		}
		r.open = append(r.open, near, far)
		r.mu.Unlock()
		go pipe(near, far)
		go pipe(far, near)
	}
}

func pipe(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	_ = to.Close()
}

// cut ends all connections.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.open {
		_ = c.Close()
	}
	r.open = nil
}

func (r *relay) leave(away bool) {
	r.mu.Lock()
	r.away = away
	r.mu.Unlock()
	r.cut()
}

func count(ctx context.Context, db *database.DB) error {
	var n int
	return db.From(ctx).Raw("SELECT count(*) FROM words").Scan(&n).Error
}

// TestStoreThatIsAway: whatever is asked of a store that cannot be reached is Unavailable, from the first statement to the commit.
func TestStoreThatIsAway(t *testing.T) {
	r, db, _ := through(t)
	midway := db.Tx(t.Context(), func(ctx context.Context) error {
		r.leave(true)
		return db.From(ctx).Exec(insert, "lost").Error
	})
	for what, err := range map[string]error{
		"a read": count(t.Context(), db), "a transaction": db.Tx(t.Context(), write(db, "a")), "a statement of a transaction": midway,
		"a ping": db.Ping(t.Context()),
	} {
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", what, err)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := count(gone, db); !errors.Is(err, context.Canceled) || errors.Is(err, fault.Unavailable) {
		t.Error("the caller's own doing is not the store's:", err)
	}
	r.leave(false)
	if err := errors.Join(count(t.Context(), db), db.Tx(t.Context(), write(db, "back"))); err != nil {
		t.Error("the store is back:", err)
	}
}

// TestCutConnectionsAreReplaced: after a failover every pooled connection is dead, and no caller reads of it.
func TestCutConnectionsAreReplaced(t *testing.T) {
	_, db, direct := through(t)
	for range 5 {
		var held []*sql.Conn
		for range 4 {
			for _, pool := range []*sql.DB{db.R, db.W} {
				c, err := pool.Conn(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				held = append(held, c)
			}
		}
		for _, c := range held {
			_ = c.Close()
		}
		_, err := direct.ExecContext(t.Context(), "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(count(t.Context(), db), db.Tx(t.Context(), func(ctx context.Context) error { return count(ctx, db) })); err != nil {
			t.Error(err)
		}
	}
}

// TestStoreThatTakesNoWrites: a standby is a store that is away, for those who write; a write that our own code sends astray is not.
func TestStoreThatTakesNoWrites(t *testing.T) {
	_, db, direct := through(t)
	if err := db.From(t.Context()).Exec(insert, "astray").Error; err == nil || errors.Is(err, fault.Unavailable) {
		t.Error("a write outside a transaction is our own mistake:", err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	standby(t, direct)
	if err := db.Ping(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Error("ready without taking writes:", err)
	}
	if err := db.Tx(t.Context(), write(db, "a")); fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
	if err := count(t.Context(), db); err != nil {
		t.Error("it can still be read:", err)
	}
}

// standby makes the database take no writes, as after a failover to a standby.
func standby(t *testing.T, direct *sql.DB) {
	t.Helper()
	for _, q := range []string{
		"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET default_transaction_read_only = on', current_database()); END $$",
		"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
	} {
		if _, err := direct.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
}
