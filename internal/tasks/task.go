package tasks

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrFenced says that the lease has passed on: what this worker does no longer counts. Return it as it is.
var ErrFenced = errors.New("tasks: the lease has passed on")

// errStopping is why handlers are cancelled when the engine stops.
var errStopping = errors.New("tasks: the engine stops")

type again struct{ after time.Duration }

func (a again) Error() string { return "again in " + a.after.String() }

// Snooze makes the task run again after d. It counts as no failure, and ends the count of those before.
func Snooze(d time.Duration) error { return again{d} }

type cancel struct{ error }

// Unwrap gives the reason.
func (c cancel) Unwrap() error { return c.error }

// Cancel ends the task although it failed: trying again would not help. A schedule goes on with its next turn.
func Cancel(err error) error { return cancel{err} }

// task is a claimed row.
type task struct {
	Key, Kind, Args, Note        string
	Fence, Wakes, Attempt, Every int64 // Every in microseconds; 0 means once
}

// running is a task that a handler of ours is at.
type running struct {
	task
	e    *Engine
	stop context.CancelCauseFunc
	mu   sync.Mutex
	till time.Time // when our lease ends, by our own monotonic clock
}

func (r *running) renewed(sent time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if till := sent.Add(lease); till.After(r.till) {
		r.till = till
	}
}

func (r *running) left() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Until(r.till)
}

// runKey is where ctx carries the running task.
type runKey struct{}

func worker(ctx context.Context) (*running, bool) {
	r, ok := ctx.Value(runKey{}).(*running)
	return r, ok
}

// Fence is the number of this claim: each later claim of the same key has a higher one. 0 outside a handler.
func Fence(ctx context.Context) int64 {
	if r, ok := worker(ctx); ok {
		return r.Fence
	}
	return 0
}

// Attempt counts the runs since the last success, from 1; snoozes do not count. 0 outside a handler.
func Attempt(ctx context.Context) int64 {
	if r, ok := worker(ctx); ok {
		return r.Attempt
	}
	return 0
}
