package schema_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/schema"
)

// files gives a schema of the named migrations, each making one table.
func files(names ...string) fstest.MapFS {
	all := fstest.MapFS{}
	for _, n := range names {
		all[n+"_x.sql"] = &fstest.MapFile{Data: []byte("-- +goose Up\nCREATE TABLE t" + n + " (a BIGINT);\n-- +goose Down\nDROP TABLE t" + n + ";\n")}
	}
	return all
}

func both(t *testing.T, f func(t *testing.T, dsn string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { f(t, dbtest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { f(t, dbtest.Postgres(t)) })
}

func open(t *testing.T, dsn string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestUpgradesAndRefusesNewer(t *testing.T) {
	both(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		version := func(want int64) {
			t.Helper()
			if v, err := schema.Version(t.Context(), db); v != want || err != nil {
				t.Errorf("version %d, %v; want %d", v, err, want)
			}
		}
		version(0)
		for range 2 { // the second time there is nothing to do
			if err := schema.Up(t.Context(), db, files("00101", "00201")); err != nil {
				t.Fatal(err)
			}
		}
		version(201)
		if err := schema.Up(t.Context(), db, files("00101", "00102", "00201")); err != nil { // a later one with a lower number
			t.Fatal(err)
		}
		// An older program beside a newer one: what is only wider it serves, what was narrowed it refuses.
		if err := schema.Up(t.Context(), db, files("00101", "00201")); err != nil {
			t.Error("a store that is only wider must be served:", err)
		}
		narrower := files("00101", "00102", "00201", "00301")
		narrower["00301_x.sql"].Data = []byte("-- contract of 00102\n-- +goose Up\nCREATE TABLE contracts (version BIGINT);\nINSERT INTO contracts (version) VALUES (301);\nDROP TABLE t00201;\n")
		for range 2 { // who knows the contract goes on
			if err := schema.Up(t.Context(), db, narrower); err != nil {
				t.Fatal(err)
			}
		}
		err := schema.Up(t.Context(), db, files("00101", "00102", "00201"))
		if !errors.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "00301") {
			t.Error("a narrowed store must be refused:", err)
		}
		var n int64
		if err := db.From(t.Context()).Raw("SELECT count(*) FROM t00102").Scan(&n).Error; err != nil {
			t.Error("the refusal must change nothing:", err)
		}
	})
}

func TestManyProcessesMigrateOnce(t *testing.T) {
	dsn := dbtest.Postgres(t)
	var wg sync.WaitGroup
	for range 4 {
		db := open(t, dsn)
		wg.Go(func() {
			if err := schema.Up(context.Background(), db, files("00101", "00102", "00103")); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

func TestFailedMigrationLeavesTheStoreAsItWas(t *testing.T) {
	both(t, func(t *testing.T, dsn string) {
		db, bad := open(t, dsn), files("00101", "00102")
		bad["00102_x.sql"].Data = []byte("-- +goose Up\nCREATE TABLE half (a BIGINT);\nCREATE TABLE t00101 (a BIGINT);\n")
		if err := schema.Up(t.Context(), db, bad); err == nil {
			t.Fatal("must fail")
		}
		var n int64
		if err := db.R.QueryRowContext(t.Context(), "SELECT count(*) FROM half").Scan(&n); err == nil {
			t.Error("half a migration stayed")
		}
		if err := schema.Up(t.Context(), db, files("00101", "00102")); err != nil {
			t.Error("mended, it must go on:", err)
		}
	})
}

// TestInterruptedBetweenTwoMigrations: a process ends in the midst of the second of three migrations. The first stays, the second leaves nothing, and
// the next process goes on; what was in the store is in it.
func TestInterruptedBetweenTwoMigrations(t *testing.T) {
	both(t, func(t *testing.T, dsn string) {
		db, all := open(t, dsn), files("00101", "00102", "00103")
		if err := failpoint.Arm("schema.migration.recording=error@2"); err != nil {
			t.Fatal(err)
		}
		err := schema.Up(t.Context(), db, all)
		if e := failpoint.Arm(""); e != nil || err == nil {
			t.Fatal(e, err)
		}
		if v, err := schema.Version(t.Context(), db); v != 101 || err != nil {
			t.Fatal(v, err)
		}
		var n int64
		if err := db.R.QueryRowContext(t.Context(), "SELECT count(*) FROM t00102").Scan(&n); err == nil {
			t.Error("half a migration stayed")
		}
		if err := db.Tx(t.Context(), func(ctx context.Context) error { return db.From(ctx).Exec("INSERT INTO t00101 (a) VALUES (7)").Error }); err != nil {
			t.Fatal(err)
		}
		if err := schema.Up(t.Context(), db, all); err != nil {
			t.Fatal(err)
		}
		if err := db.R.QueryRowContext(t.Context(), "SELECT a FROM t00101").Scan(&n); err != nil || n != 7 {
			t.Error("what was there is not:", n, err)
		}
		if v, err := schema.Version(t.Context(), db); v != 103 || err != nil {
			t.Error(v, err)
		}
	})
}
