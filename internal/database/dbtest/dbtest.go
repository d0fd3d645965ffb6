// Package dbtest gives tests a migrated store of their own on both engines: SQLite in a temporary folder, and a database on a real
// PostgreSQL server that is started once per test binary. Both are copies of one that was migrated once, so a store costs milliseconds.
package dbtest

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/schema"
	"github.com/sutlerhq/sutler/migrations"
)

// Each runs f as a subtest on SQLite and on PostgreSQL, each with a fresh migrated store.
func Each(t *testing.T, f func(t *testing.T, db *database.DB)) {
	t.Helper()
	for name, dsn := range Migrated() {
		t.Run(name, func(t *testing.T) { f(t, open(t, dsn(t))) })
	}
}

// Migrated yields both engines by name, each with a function that gives the address of a fresh migrated store, for tests that open it
// themselves: in another process, or more than once.
func Migrated() func(yield func(string, func(testing.TB) string) bool) {
	return func(yield func(string, func(testing.TB) string) bool) {
		_ = yield("sqlite", migratedSQLite) && yield("postgres", migratedPostgres)
	}
}

// New gives a fresh migrated SQLite store, for tests that are not about the store.
func New(t testing.TB) *database.DB { t.Helper(); return open(t, migratedSQLite(t)) }

// NewPostgres gives a fresh migrated PostgreSQL store, for tests of what several processes do: a SQLite store has one.
func NewPostgres(t testing.TB) *database.DB { t.Helper(); return open(t, migratedPostgres(t)) }

// SQLite gives the address of a store file that does not exist yet.
func SQLite(t testing.TB) string { return "sqlite://" + t.TempDir() + "/sutler.db" }

func open(t testing.TB, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// migrate brings the store at dsn to the newest schema.
func migrate(dsn string) error {
	ctx := context.Background()
	db, err := database.Open(ctx, dsn, "OFF")
	if err != nil {
		return err
	}
	err = schema.Up(ctx, db, migrations.FS)
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	return err
}

// template is a migrated SQLite file, as bytes: closing the last connection folds the write-ahead log into it.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "sutler-test-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "t.db")
	if err := migrate("sqlite://" + path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func migratedSQLite(t testing.TB) string {
	t.Helper()
	raw, err := template()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "sutler.db")
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite://" + path
}
