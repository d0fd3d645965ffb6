// Package dbtest gives tests a migrated store of their own on both engines: SQLite in a temporary folder, and a database on a real
// PostgreSQL server that is started once per test binary.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/schema"
	"github.com/sutlerhq/sutler/migrations"
	"github.com/sutlerhq/sutler/providers/local"
)

// Each runs f as a subtest on SQLite and on PostgreSQL, each with a fresh migrated store.
func Each(t *testing.T, f func(t *testing.T, db *database.DB)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, open(t, SQLite(t))) })
	t.Run("postgres", func(t *testing.T) { f(t, open(t, Postgres(t))) })
}

// New gives a fresh migrated SQLite store, for tests that are not about the store.
func New(t testing.TB) *database.DB { t.Helper(); return open(t, SQLite(t)) }

// SQLite gives the address of a store file that does not exist yet.
func SQLite(t testing.TB) string { return "sqlite://" + t.TempDir() + "/sutler.db" }

var (
	once   sync.Once
	server *local.Server
	failed error
	number atomic.Int64
)

// Postgres gives the address of a new empty database on this test binary's PostgreSQL server.
func Postgres(t testing.TB) string {
	t.Helper()
	once.Do(func() {
		dir, err := os.MkdirTemp("", "sutler-test-pg-")
		if err == nil {
			server, err = local.PostgreSQL(context.Background(), dir, "test", true)
		}
		failed = err
	})
	if failed != nil {
		if os.Getenv("CI") == "" && os.Getenv("SUTLER_TEST_QUICK") != "" {
			t.Skip("quick: no PostgreSQL: ", failed)
		}
		t.Fatal(failed)
	}
	admin, err := sql.Open("pgx", "postgres://sutler:test@"+server.Address+"/postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	name := fmt.Sprintf("t%d", number.Add(1))
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return "postgres://sutler:test@" + server.Address + "/" + name
}

func open(t testing.TB, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := schema.Up(t.Context(), db, migrations.FS); err != nil {
		t.Fatal(err)
	}
	return db
}
