package tasks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
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

// patience is how long a test waits for what must happen. It is generous because the machine may be busy.
const patience = 20 * time.Second

type args struct{ ID string }

// rig is an engine whose one kind, "work", does what the test says.
type rig struct {
	*tasks.Engine
	t    *testing.T
	db   *database.DB
	log  *safeBuffer
	runs chan string // the id of each run that has begun
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string { s.mu.Lock(); defer s.mu.Unlock(); return s.b.String() }

func newRig(t *testing.T, db *database.DB, node string, workers int, do func(ctx context.Context, id string) error) *rig {
	t.Helper()
	r := &rig{Engine: tasks.New(db, node, t.Name(), workers), t: t, db: db, log: &safeBuffer{}, runs: make(chan string, 1000)}
	r.Log = slog.New(slog.NewTextHandler(r.log, nil))
	tasks.Handle(r.Engine, "work", func(ctx context.Context, a args) error {
		r.runs <- a.ID
		return do(ctx, a.ID)
	})
	t.Cleanup(func() {
		c, cancel := context.WithCancel(context.Background())
		cancel()
		_ = r.Stop(c) // cut short what a test left running
	})
	return r
}

func (r *rig) start() *rig {
	r.t.Helper()
	if err := r.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *rig) put(id string) {
	r.t.Helper()
	err := r.db.Tx(r.t.Context(), func(ctx context.Context) error { return r.Enqueue(ctx, "work", id, args{id}, "") })
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) exec(q string, a ...any) {
	r.t.Helper()
	if err := r.db.Tx(r.t.Context(), func(ctx context.Context) error { return r.db.From(ctx).Exec(q, a...).Error }); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) rows() []tasks.Row {
	r.t.Helper()
	rows, err := r.List(r.t.Context(), 0, 100)
	if err != nil {
		r.t.Fatal(err)
	}
	return rows
}

// until looks again and again until ok, at most for a while.
func (r *rig) until(what string, ok func([]tasks.Row) bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); ; <-tick.C {
		rows := r.rows()
		if ok(rows) {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("waited for: %s; rows: %+v", what, rows)
		}
	}
}

func none(rows []tasks.Row) bool { return len(rows) == 0 }

func next[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	return v
}

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
				m["x"] = 1
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
