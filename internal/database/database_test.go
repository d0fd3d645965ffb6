package database_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

const insert = "INSERT INTO words (id) VALUES (?)"

// withTable gives each test a table of its own on both stores.
func withTable(t *testing.T, f func(t *testing.T, db *database.DB)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			return db.From(ctx).Exec("CREATE TABLE words (id TEXT PRIMARY KEY)").Error
		})
		if err != nil {
			t.Fatal(err)
		}
		f(t, db)
	})
}

func words(ctx context.Context, t *testing.T, db *database.DB) (all []string) {
	t.Helper()
	if err := db.From(ctx).Raw("SELECT id FROM words ORDER BY id").Scan(&all).Error; err != nil {
		t.Fatal(err)
	}
	return all
}

func write(db *database.DB, ids ...string) func(context.Context) error {
	return func(ctx context.Context) error {
		for _, id := range ids {
			if err := db.From(ctx).Exec(insert, id).Error; err != nil {
				return err
			}
		}
		return nil
	}
}

func panics(t *testing.T, want error, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if e, _ := recover().(error); !errors.Is(e, want) {
			t.Errorf("want panic %v, got %v", want, e)
		}
	}()
	f()
}

func TestCommitAndRollback(t *testing.T) {
	withTable(t, func(t *testing.T, db *database.DB) {
		boom := errors.New("boom")
		var hooks []string
		hook := func(ctx context.Context, name string) {
			db.AfterCommit(ctx, func() { hooks = append(hooks, fmt.Sprint(name, len(words(t.Context(), t, db)))) })
		}
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			hook(ctx, "failed")
			return errors.Join(write(db, "a")(ctx), boom)
		})
		if !errors.Is(err, boom) || len(words(t.Context(), t, db)) != 0 {
			t.Error("an error must roll back", err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = db.Tx(t.Context(), func(ctx context.Context) error {
				_ = write(db, "p")(ctx)
				panic("x")
			})
		}()
		if len(words(t.Context(), t, db)) != 0 {
			t.Error("a panic must roll back")
		}
		err = db.Tx(t.Context(), func(ctx context.Context) error {
			hook(ctx, "committed")
			if err := write(db, "a")(ctx); err != nil {
				return err
			}
			if !slices.Equal(words(ctx, t, db), []string{"a"}) || !db.In(ctx) || db.In(t.Context()) {
				t.Error("own writes must be seen inside")
			}
			return db.Tx(ctx, write(db, "b")) // joins
		})
		if err != nil || !slices.Equal(words(t.Context(), t, db), []string{"a", "b"}) {
			t.Error("nil must commit", err)
		}
		hook(t.Context(), "now")
		if !slices.Equal(hooks, []string{"committed2", "now2"}) {
			t.Error("hooks run after a commit only, and see what was committed:", hooks)
		}
	})
}

func TestNothingIsWrittenOutsideTx(t *testing.T) {
	withTable(t, func(t *testing.T, db *database.DB) {
		if err := db.From(t.Context()).Exec(insert, "x").Error; err == nil || len(words(t.Context(), t, db)) != 0 {
			t.Error("wrote outside a Tx", err)
		}
	})
}

func TestNestedFailurePoisons(t *testing.T) {
	withTable(t, func(t *testing.T, db *database.DB) {
		boom := errors.New("boom")
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			_ = db.Tx(ctx, func(ctx context.Context) error { return errors.Join(write(db, "c")(ctx), boom) }) // swallowed
			return nil
		})
		if !errors.Is(err, database.ErrPoisoned) || !errors.Is(err, boom) || len(words(t.Context(), t, db)) != 0 {
			t.Error(err)
		}
	})
}

func TestMisuseIsCaught(t *testing.T) {
	withTable(t, func(t *testing.T, db *database.DB) {
		out := t.Context()
		kept := db.From(out)
		var stale context.Context
		err := db.Tx(out, func(ctx context.Context) error {
			stale = ctx
			panics(t, database.ErrOuterHandle, func() { db.From(out) })
			panics(t, database.ErrOuterHandle, func() { kept.Exec("SELECT 1") })
			panics(t, database.ErrOuterHandle, func() { var n int; kept.WithContext(ctx).Raw("SELECT 1").Scan(&n) })
			panics(t, database.ErrOuterHandle, func() { _ = db.Tx(out, func(context.Context) error { return nil }) }) // would wait for itself
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		panics(t, database.ErrBegin, func() { _ = kept.Transaction(func(*gorm.DB) error { return nil }) })
		panics(t, database.ErrStale, func() { db.From(stale) })
		panics(t, database.ErrStale, func() { _ = db.Tx(stale, func(context.Context) error { return nil }) })
		if err := db.Tx(out, write(db, "after")); err != nil {
			t.Error("the store must work on", err)
		}
	})
}

func TestCancelledRequestWritesAllOrNothing(t *testing.T) {
	withTable(t, func(t *testing.T, db *database.DB) {
		for stop := range 7 { // cancelled before the first write, between two, and after the last
			ctx, cancel := context.WithCancel(t.Context())
			err := db.Tx(ctx, func(ctx context.Context) error {
				for k := range 6 {
					if k == stop {
						cancel()
					}
					if k < 5 {
						if err := db.From(ctx).Exec(insert, fmt.Sprintf("%d-%d", stop, k)).Error; err != nil {
							return err
						}
					}
				}
				return nil
			})
			cancel()
			var n int64
			if e := db.From(t.Context()).Raw("SELECT count(*) FROM words WHERE substr(id,1,2) = ?", fmt.Sprintf("%d-", stop)).Scan(&n).Error; e != nil {
				t.Fatal(e)
			}
			if stop == 6 && (err != nil || n != 5) || stop < 6 && (!errors.Is(err, context.Canceled) || n != 0) {
				t.Errorf("cancelled before write %d: %v, %d rows", stop, err, n)
			}
		}
	})
}

func TestStoresClockIsTheMachinesInTests(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		var us int64
		if err := db.From(t.Context()).Raw("SELECT " + db.Now()).Scan(&us).Error; err != nil {
			t.Fatal(err)
		}
		if gap := time.Since(time.UnixMicro(us)); gap < -time.Minute || gap > time.Minute {
			t.Error(gap)
		}
		if err := db.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestSecondOpenOfAFileSaysWhoHasIt(t *testing.T) {
	dsn := dbtest.SQLite(t)
	db, err := database.Open(t.Context(), dsn, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	_, err = database.Open(t.Context(), dsn, "NORMAL")
	if !errors.Is(err, fault.Conflict) || !strings.Contains(err.Error(), fmt.Sprintf("process %d", os.Getpid())) {
		t.Error(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if db, err = database.Open(t.Context(), dsn, "FULL"); err != nil {
		t.Fatal("a closed store must open again:", err)
	}
	db.Close()
}

func TestOpenRefusals(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("this is no database. ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	good := dbtest.Postgres(t)
	for name, c := range map[string]struct {
		dsn  string
		kind fault.Kind
	}{
		"another store":      {"mysql://u:s3cr3t@h/d", fault.Invalid},
		"no folder":          {"sqlite://" + dir + "/none/a.db", fault.Invalid},
		"no database file":   {"sqlite://" + junk, fault.Invalid},
		"malformed":          {"postgres://u:s3cr3t@h:port/d", fault.Invalid},
		"wrong password":     {strings.Replace(good, ":test@", ":s3cr3t@", 1), fault.Invalid},
		"no such database":   {good + "none", fault.Invalid},
		"nobody listens yet": {"postgres://u:s3cr3t@127.0.0.1:1/d", fault.Unavailable},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := database.Open(ctx, c.dsn, "NORMAL")
		cancel()
		if !errors.Is(err, c.kind) || strings.Contains(fmt.Sprintf("%v %v", err, fault.Of(err).Unwrap()), "s3cr3t") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Names that mean something in an address must mean nothing in a path.
func TestStrangePath(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=ro#%41ü.db")
	db, err := database.Open(t.Context(), "sqlite://"+path, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info, err)
	}
	if err := db.Tx(t.Context(), func(ctx context.Context) error { return db.From(ctx).Exec("CREATE TABLE t (x BIGINT)").Error }); err != nil {
		t.Error(err)
	}
}

func BenchmarkFrom(b *testing.B) {
	db := dbtest.New(b)
	for b.Loop() {
		db.From(b.Context())
	}
}

// TestCloseWaitsForWhatIsInUse: a connection that is given back later would still write the files of a store that is taken for closed.
func TestCloseWaitsForWhatIsInUse(t *testing.T) {
	db, err := database.Open(t.Context(), dbtest.SQLite(t), "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	used, err := db.W.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var given atomic.Bool
	go func() {
		for db.R.PingContext(t.Context()) == nil { // until it closes
			runtime.Gosched()
		}
		given.Store(true)
		_ = used.Close()
	}()
	if err := db.Close(); err != nil || !given.Load() {
		t.Error("given back before:", given.Load(), err)
	}
}
