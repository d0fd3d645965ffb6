package tasks_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

func TestHoldFencesTheWholeTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		begun, go1, answers := make(chan struct{}), make(chan struct{}), make(chan error, 10)
		r := newRig(t, db, "n", 1, func(ctx context.Context, _ string) error {
			write := func(key string) error {
				return db.Tx(ctx, func(ctx context.Context) error {
					if err := tasks.Hold(ctx); err != nil {
						return err
					}
					return db.From(ctx).Exec(`INSERT INTO calendar (kind, key, due) VALUES ('written', ?, 0)`, key).Error
				})
			}
			answers <- errors.Join(tasks.Alive(ctx), write("before"))
			close(begun)
			<-go1
			err := write("after")
			answers <- err
			answers <- tasks.Alive(ctx) // the worker was told to stop
			return err
		}).start()
		r.put("a")
		next(t, begun)
		if err := next(t, answers); err != nil {
			t.Fatal("with the lease in hand:", err)
		}
		r.exec(`UPDATE tasks SET fence = fence + 1, lease_owner = 'other/1' WHERE key = 'a'`) // another claimed it
		close(go1)
		if err := next(t, answers); !errors.Is(err, tasks.ErrFenced) {
			t.Error("past the fence:", err)
		}
		if err := next(t, answers); err == nil {
			t.Error("alive past the fence")
		}
		var keys []string
		if err := db.From(t.Context()).Raw(`SELECT key FROM calendar WHERE kind = 'written'`).Scan(&keys).Error; err != nil || fmt.Sprint(keys) != "[before]" {
			t.Error(keys, err)
		}
		if rows := r.rows(); len(rows) != 1 || rows[0].Owner != "other/1" {
			t.Error("the fenced worker touched the row:", rows)
		}
	})
}

func TestOutsideAHandlerNothingIsFenced(t *testing.T) {
	ctx := t.Context()
	if tasks.Hold(ctx) != nil || tasks.Alive(ctx) != nil || tasks.Fence(ctx) != 0 || tasks.Attempt(ctx) != 0 {
		t.Error("there is no lease to lose here")
	}
}

func TestStartVoidsTheLeasesOfTheDead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, "n", 4, func(context.Context, string) error { return nil })
		for key, owner := range map[string]string{"mine": "n/old", "other's": "m/old", "longer": "n2/old"} {
			r.put(key)
			r.exec(`UPDATE tasks SET lease_owner = ?, lease_until = `+db.Now()+` + 60000000 WHERE key = ?`, owner, key)
		}
		r.start()
		left := 2 // on PostgreSQL the others may be alive
		if db.SQLite {
			left = 0
		}
		r.until("the dead one's work is done", func(rows []tasks.Row) bool { return len(rows) == left })
		if n := len(r.runs); n != 3-left {
			t.Error("runs:", n)
		}
	})
}

func TestStopWaitsForHandlers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		finish, stopped := make(chan struct{}), make(chan error)
		r := newRig(t, db, "n", 1, func(ctx context.Context, _ string) error {
			<-finish
			return ctx.Err() // a graceful stop cancels nothing
		}).start()
		r.put("a")
		next(t, r.runs)
		r.put("b") // not begun: left for later
		go func() { stopped <- r.Stop(context.Background()) }()
		select {
		case err := <-stopped:
			t.Fatal("Stop did not wait", err)
		case <-time.After(50 * time.Millisecond):
		}
		close(finish)
		if err := next(t, stopped); err != nil {
			t.Error(err)
		}
		if rows := r.rows(); len(rows) != 1 || rows[0].Key != "b" || rows[0].Attempt != 0 || len(r.runs) != 0 {
			t.Error(rows)
		}
	})
}

func TestStopThatCannotWaitGivesLeasesUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		deaf, late := make(chan struct{}), make(chan error, 1)
		r := newRig(t, db, "n", 2, func(ctx context.Context, id string) error {
			if id == "listens" {
				<-ctx.Done()
				return ctx.Err()
			}
			<-deaf
			late <- db.Tx(context.WithoutCancel(ctx), func(ctx context.Context) error { return tasks.Hold(ctx) })
			return nil
		}).start()
		r.put("listens")
		r.put("deaf")
		next(t, r.runs)
		next(t, r.runs)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := r.Stop(ctx); !errors.Is(err, fault.Timeout) {
			t.Error(err)
		}
		for _, row := range r.rows() {
			if row.Owner != "" || row.Attempt != 0 {
				t.Errorf("%+v", row)
			}
		}
		close(deaf)
		if err := next(t, late); !errors.Is(err, tasks.ErrFenced) {
			t.Error("a handler that outlived the stop was not fenced:", err)
		}
		heir := newRig(t, db, "m", 2, func(context.Context, string) error { return nil }).start()
		heir.until("another goes on at once", none)
	})
}

// A lease outlasts a handler that takes longer than the lease.
func TestHeartbeatKeepsTheLease(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		t.Parallel()
		release := make(chan struct{})
		r := newRig(t, db, "n", 1, func(ctx context.Context, _ string) error { <-release; return tasks.Alive(ctx) }).start()
		r.put("a")
		next(t, r.runs)
		var first, now int64
		read := func(v *int64) {
			if err := db.From(t.Context()).Raw(`SELECT lease_until FROM tasks`).Scan(v).Error; err != nil {
				t.Fatal(err)
			}
		}
		read(&first)
		r.until("the lease was renewed three times", func([]tasks.Row) bool { read(&now); return now > first+5_900_000 })
		close(release)
		r.until("the row is gone", none)
		if len(r.runs) != 0 {
			t.Error("ran again")
		}
	})
}

// The server may be restarted under us: claiming, listening and the heartbeat come back by themselves.
func TestLostConnectionsAreMadeAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		if db.SQLite {
			return // there is no connection to lose
		}
		t.Parallel()
		release := make(chan struct{})
		r := newRig(t, db, "n", 2, func(ctx context.Context, id string) error {
			if id == "long" {
				<-release
				return tasks.Alive(ctx)
			}
			return nil
		}).start()
		r.put("long")
		next(t, r.runs)
		if _, err := db.W.ExecContext(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
			t.Fatal(err)
		}
		r.until("a new task is accepted", func([]tasks.Row) bool {
			return db.Tx(t.Context(), func(ctx context.Context) error { return r.Enqueue(ctx, "work", "short", args{"short"}, "") }) == nil
		})
		if id := next(t, r.runs); id != "short" {
			t.Error(id)
		}
		var before, now int64
		until := func(v *int64) bool {
			return db.From(t.Context()).Raw(`SELECT lease_until FROM tasks WHERE key = 'long'`).Scan(v).Error == nil
		}
		r.until("the lease can be read", func([]tasks.Row) bool { return until(&before) })
		r.until("the lease was renewed twice since", func([]tasks.Row) bool { return until(&now) && now > before+3_900_000 })
		close(release)
		r.until("both are done", none)
	})
}
