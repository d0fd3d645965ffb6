package tasks

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Engine runs tasks. Register handlers, then Start; Stop ends it with grace.
type Engine struct {
	Log  *slog.Logger // slog.Default() unless set before Start
	Boot string       // node name + boot number: who holds a lease

	db    *database.DB
	node  string
	slots chan struct{} // one per running handler
	bell  chan struct{} // something may be due
	mine  sync.Map      // key -> *running

	calling atomic.Bool // a wake-up for other processes is about to be sent
	line    sync.Mutex  // one at a time is sent

	mu       sync.RWMutex
	handlers map[string]func(context.Context, string) error

	stopClaims context.CancelFunc      // set by Start
	cutWork    context.CancelCauseFunc // ends handlers, heartbeats, listening
	claiming   sync.WaitGroup
	work       sync.WaitGroup // handlers
	helpers    sync.WaitGroup // heartbeats, listening
}

// New makes an engine for a node whose name stays the same over restarts (two processes must not share one) and a boot that never comes
// again. It runs at most workers handlers at once.
func New(db *database.DB, node, boot string, workers int) *Engine {
	node = strings.ReplaceAll(node, "/", "_") // the slash ends the name in lease owners
	return &Engine{
		Log: slog.Default(), Boot: node + "/" + boot, db: db, node: node, handlers: map[string]func(context.Context, string) error{},
		slots: make(chan struct{}, workers), bell: make(chan struct{}, 1),
	}
}

// Workers is how many handlers run at once at most.
func (e *Engine) Workers() int { return cap(e.slots) }

// Handle names the function for a kind. A process claims only tasks whose kinds it has a function for, so an older one leaves new kinds alone.
// Arguments that cannot be read end the task.
func Handle[T any](e *Engine, kind string, fn func(context.Context, T) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.handlers[kind] = func(ctx context.Context, raw string) error {
		var args T
		if err := json.Unmarshal([]byte(raw), &args); err != nil {
			return Cancel(fault.Internal.Wrap(err, "The arguments of a %s task cannot be read.", kind))
		}
		return fn(ctx, args)
	}
}

// Enqueue wakes key in the caller's transaction. Many wakes of a key are one run; a key that is running runs once more afterwards, with its first
// arguments. Arguments hold ids only. A node name reserves the task for that node; "" lets any run it. The last name given counts, from the next run on.
func (e *Engine) Enqueue(ctx context.Context, kind, key string, args any, node string) error {
	return e.put(ctx, kind, key, args, node, 0)
}

// Every registers a schedule: kind runs now and then each d after it has ended. All nodes may call it, one row exists.
func (e *Engine) Every(ctx context.Context, kind string, d time.Duration) error {
	return e.db.Tx(ctx, func(ctx context.Context) error {
		return e.put(ctx, kind, "every/"+kind, struct{}{}, "", d)
	})
}

// Start voids the leases of this node's former self, which is dead, and begins to run what is due. When ctx ends, handlers are cancelled and
// their leases run out; call Stop for a graceful end.
func (e *Engine) Start(ctx context.Context) error {
	if err := e.voidLeases(ctx); err != nil {
		return fault.Unavailable.Wrap(err, "The task table cannot be written.")
	}
	var claims context.Context
	ctx, e.cutWork = context.WithCancelCause(ctx)
	claims, e.stopClaims = context.WithCancel(ctx)
	if e.db.SQLite {
		e.helpers.Go(func() { e.beats(ctx, e.renewSQLite) })
	} else {
		e.helpers.Go(func() { e.listen(ctx) })
		e.helpers.Go(func() {
			r := &renewer{e: e}
			defer r.close()
			e.beats(ctx, r.renew)
		})
	}
	e.claiming.Go(func() { e.claim(claims, ctx) })
	return nil
}

// Stop claims nothing more and waits for running handlers. When ctx ends before they do, it cancels them, gives their leases up so that
// another process goes on at once, and says so with fault.Timeout.
func (e *Engine) Stop(ctx context.Context) error {
	if e.stopClaims == nil {
		return nil // never started
	}
	e.stopClaims()
	e.claiming.Wait()
	ended := make(chan struct{})
	go func() { e.work.Wait(); close(ended) }()
	var late error
	select {
	case <-ended:
	case <-ctx.Done():
		late = fault.Timeout.Errorf("Some work did not end in time; it goes on after the next start or in another process.")
		e.cutWork(errStopping)
		select {
		case <-ended:
		case <-time.After(time.Second): // it does not listen; its lease is taken away below
		}
	}
	e.cutWork(errStopping)
	e.helpers.Wait()
	c, cancel := context.WithTimeout(context.WithoutCancel(ctx), beat)
	defer cancel()
	if err := e.giveUp(c); err != nil && late == nil {
		return fault.Unavailable.Wrap(err, "The leases could not be given up; they run out by themselves.")
	}
	return late
}

// ring wakes the claiming loop.
func (e *Engine) ring() {
	select {
	case e.bell <- struct{}{}:
	default: // it rings already
	}
}

// pause waits, or less when ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
