package tasks_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/schema"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/migrations"
	"github.com/sutlerhq/sutler/providers/local"
)

// benchStores runs f on SQLite with both durabilities and on a PostgreSQL that flushes as in production.
func benchStores(b *testing.B, f func(b *testing.B, e *tasks.Engine, db *database.DB)) {
	b.Helper()
	run := func(name, sync string, dsn func(b *testing.B) string) {
		b.Run(name, func(b *testing.B) {
			db, err := database.Open(b.Context(), dsn(b), sync)
			if err != nil {
				b.Fatal(err)
			}
			defer db.Close()
			if err := schema.Up(b.Context(), db, migrations.FS); err != nil {
				b.Fatal(err)
			}
			e := tasks.New(db, "n", "1", 16)
			f(b, e, db)
			if err := e.Stop(b.Context()); err != nil {
				b.Fatal(err)
			}
		})
	}
	file := func(b *testing.B) string { return "sqlite://" + b.TempDir() + "/a.db" }
	run("sqlite-full", "FULL", file)
	run("sqlite-normal", "NORMAL", file)
	run("postgres", "", func(b *testing.B) string {
		s, err := local.PostgreSQL(b.Context(), b.TempDir(), "bench", false)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = s.Stop() })
		return "postgres://sutler:bench@" + s.Address + "/postgres"
	})
}

// BenchmarkCommitToWork measures from the return of the accepting transaction to the first line of the handler.
func BenchmarkCommitToWork(b *testing.B) {
	benchStores(b, func(b *testing.B, e *tasks.Engine, db *database.DB) {
		begun := make(chan time.Time, 1)
		tasks.Handle(e, "work", func(context.Context, args) error { begun <- time.Now(); return nil })
		if err := e.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		var waits []time.Duration
		n := 0
		for b.Loop() {
			n++
			err := db.Tx(b.Context(), func(ctx context.Context) error { return e.Enqueue(ctx, "work", fmt.Sprint(n), args{}, "") })
			committed := time.Now()
			if err != nil {
				b.Fatal(err)
			}
			waits = append(waits, max(0, (<-begun).Sub(committed)))
		}
		slices.Sort(waits)
		b.ReportMetric(float64(waits[len(waits)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(waits[len(waits)*99/100].Microseconds())/1000, "p99-ms")
	})
}

// BenchmarkAcceptAndWork measures whole operations: an accepting transaction with two writes, a claim, a fenced transaction, an end.
func BenchmarkAcceptAndWork(b *testing.B) {
	benchStores(b, func(b *testing.B, e *tasks.Engine, db *database.DB) {
		put := func(ctx context.Context, kind, id string) error {
			return db.From(ctx).Exec(`INSERT INTO calendar (kind, key, due) VALUES (?, ?, 0)`, kind, id).Error
		}
		var left sync.WaitGroup
		tasks.Handle(e, "work", func(ctx context.Context, a args) error {
			err := db.Tx(ctx, func(ctx context.Context) error {
				if err := tasks.Hold(ctx); err != nil {
					return err
				}
				return put(ctx, "done", a.ID)
			})
			if err == nil {
				left.Done()
			}
			return err
		})
		if err := e.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
		next, n := make(chan string), 0
		for range 8 {
			go func() {
				for id := range next {
					err := db.Tx(b.Context(), func(ctx context.Context) error {
						if err := put(ctx, "accepted", id); err != nil {
							return err
						}
						return e.Enqueue(ctx, "work", id, args{id}, "")
					})
					if err != nil {
						b.Error(err)
						left.Done()
					}
				}
			}()
		}
		for b.Loop() {
			n++
			left.Add(1)
			next <- fmt.Sprint(n)
		}
		close(next)
		left.Wait()
		b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "ops/s")
	})
}
