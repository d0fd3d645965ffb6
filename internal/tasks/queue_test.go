package tasks_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

func TestEnqueueFollowsItsTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, "n", 4, func(context.Context, string) error { return nil }).start()
		boom := errors.New("boom")
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			return errors.Join(r.Enqueue(ctx, "work", "lost", args{"lost"}, ""), boom)
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		r.put("kept")
		if id := next(t, r.runs); id != "kept" {
			t.Error(id)
		}
		r.until("the row is gone", none)
		if len(r.runs) != 0 {
			t.Error("ran again:", <-r.runs)
		}
	})
}

func TestWakesOfAKeyAreOneRun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		hold := make(chan struct{})
		r := newRig(t, db, "n", 4, func(context.Context, string) error { <-hold; return nil })
		for range 5 {
			r.put("a")
		}
		r.start()
		next(t, r.runs)
		for range 5 { // while it runs: once more afterwards
			r.put("a")
		}
		hold <- struct{}{}
		next(t, r.runs)
		hold <- struct{}{}
		r.until("the row is gone", none)
		if len(r.runs) != 0 {
			t.Error("a third run")
		}
	})
}

func TestAllRunAndNoneBesideItself(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		var now, most atomic.Int64
		var busy sync.Map
		do := func(_ context.Context, id string) error {
			most.Store(max(most.Load(), now.Add(1)))
			if _, twice := busy.LoadOrStore(id, 1); twice {
				t.Error("two runs of", id)
			}
			busy.Delete(id)
			now.Add(-1)
			return nil
		}
		a, b := newRig(t, db, "a", 3, do).start(), newRig(t, db, "b", 3, do)
		if !db.SQLite { // several processes share one PostgreSQL
			b.start()
		}
		for i := range 60 {
			a.put(fmt.Sprint("k", i%40))
		}
		a.until("all are done", none)
		if n := len(a.runs) + len(b.runs); n < 40 || most.Load() > 6 {
			t.Error(n, "runs, at once:", most.Load())
		}
	})
}

func TestFailureIsNotedAndRetried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		t.Parallel()
		seen := make(chan [2]int64, 10)
		r := newRig(t, db, "n", 2, func(ctx context.Context, id string) error {
			seen <- [2]int64{tasks.Attempt(ctx), tasks.Fence(ctx)}
			switch {
			case tasks.Attempt(ctx) > 1:
				return nil
			case id == "panic":
				panic("s3cr3t")
			case id == "plain":
				return errors.New("dsn s3cr3t")
			case id == "nil":
				var m map[string]int
				m["x"] = 1 //nolint:staticcheck // a panic of the runtime's own is what this case is about
			}
			return fault.ProviderFailed.Errorf("The backend said no.")
		}).start()
		for id, says := range map[string]string{"fault": "The backend said no.", "plain": "on our side. (err_", "panic": "a panic with a string", "nil": "assignment to entry in nil map"} {
			r.put(id)
			first := next(t, seen)
			r.until("the note is there", func(rows []tasks.Row) bool { return len(rows) == 1 && rows[0].Note != "" })
			row := r.rows()[0]
			if row.Attempt == 1 && !strings.Contains(row.Note, says) || strings.Contains(row.Note, "s3cr3t") {
				t.Errorf("%s: %+v", id, row)
			}
			second := next(t, seen) // about a second later
			if first[0] != 1 || second[0] != 2 || second[1] <= first[1] {
				t.Errorf("%s: attempt and fence %v, then %v", id, first, second)
			}
			r.until("the row is gone", none)
		}
		if log := r.log.String(); strings.Contains(log, "panic s3cr3t") || !strings.Contains(log, "error_id=err_") {
			t.Error("log:", log)
		}
	})
}

func TestSnoozeEndsTheCountOfFailures(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		attempts := make(chan int64, 10)
		r := newRig(t, db, "n", 1, func(ctx context.Context, _ string) error {
			attempts <- tasks.Attempt(ctx)
			switch len(attempts) {
			case 1, 3:
				return errors.New("not this time")
			case 2:
				return tasks.Snooze(time.Millisecond)
			}
			return nil
		}).start()
		r.put("a")
		r.until("the row is gone", func(rows []tasks.Row) bool { return len(attempts) == 4 && none(rows) })
		for n, want := range []int64{1, 2, 1, 2} {
			if got := <-attempts; got != want {
				t.Errorf("run %d was attempt %d, not %d", n+1, got, want)
			}
		}
	})
}

func TestSnoozeIsNoFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		attempts := make(chan int64, 10)
		r := newRig(t, db, "n", 1, func(ctx context.Context, _ string) error {
			attempts <- tasks.Attempt(ctx)
			if len(attempts) < 3 {
				return fault.Unavailable.Wrap(tasks.Snooze(time.Millisecond), "not yet") // found however it is wrapped
			}
			return nil
		}).start()
		r.put("a")
		r.until("the row is gone", func(rows []tasks.Row) bool { return len(attempts) == 3 && none(rows) })
		for range 3 {
			if n := <-attempts; n != 1 {
				t.Error("attempt", n)
			}
		}
	})
}

func TestCancelEndsTheTask(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, "n", 1, func(context.Context, string) error { return tasks.Cancel(errors.New("hopeless")) }).start()
		r.put("a")
		r.until("the row is gone", func(rows []tasks.Row) bool { return len(r.runs) == 1 && none(rows) })
		r.exec(`INSERT INTO tasks (key, kind, args) VALUES ('bad', 'work', '{"ID":7}')`) // arguments that cannot be read
		r.put("wake")
		r.until("both are gone", none)
		if !strings.Contains(r.log.String(), "hopeless") {
			t.Error("a cancelled task must be told to the log")
		}
	})
}

func TestUnknownKindIsLeftAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, "n", 1, func(context.Context, string) error { return nil }).start()
		err := db.Tx(t.Context(), func(ctx context.Context) error { return r.Enqueue(ctx, "newer", "x", args{}, "") })
		if err != nil {
			t.Fatal(err)
		}
		r.put("a")
		next(t, r.runs)
		r.until("only the other row stays", func(rows []tasks.Row) bool {
			return len(rows) == 1 && rows[0].Key == "x" && rows[0].Attempt == 0 && rows[0].Owner == ""
		})
	})
}

func TestScheduleGoesOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		turns := make(chan int, 100)
		r := newRig(t, db, "n", 1, nil)
		n := 0
		tasks.Handle(r.Engine, "tick", func(context.Context, struct{}) error {
			n++
			turns <- n
			if n == 2 {
				return tasks.Cancel(errors.New("this turn only"))
			}
			return nil
		})
		for _, d := range []time.Duration{time.Hour, 5 * time.Millisecond} { // the second changes the first
			if err := r.Every(t.Context(), "tick", d); err != nil {
				t.Fatal(err)
			}
		}
		r.start()
		for next(t, turns) < 4 {
		}
		if rows := r.rows(); len(rows) != 1 || rows[0].Every != 5*time.Millisecond {
			t.Error(rows)
		}
	})
}

func TestTaskOfANodeStaysThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		nothing := func(context.Context, string) error { return nil }
		a, b := newRig(t, db, "a", 1, nothing).start(), newRig(t, db, "b", 1, nothing)
		err := db.Tx(t.Context(), func(ctx context.Context) error { return a.Enqueue(ctx, "work", "b's", args{"b's"}, "b") })
		if err != nil {
			t.Fatal(err)
		}
		a.put("anybody's")
		if id := next(t, a.runs); id != "anybody's" {
			t.Error("a ran", id)
		}
		b.start()
		if id := next(t, b.runs); id != "b's" || len(a.runs) != 0 {
			t.Error("b ran", id)
		}
	})
}
