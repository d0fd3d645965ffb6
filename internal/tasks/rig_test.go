package tasks_test

import (
	"bytes"
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
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
		rows, err := r.List(r.t.Context(), 0, 100) // may fail while a test cuts connections
		if err == nil && ok(rows) {
			return
		}
		if time.Now().After(end) {
			r.t.Fatalf("waited for: %s; rows: %+v, %v", what, rows, err)
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
