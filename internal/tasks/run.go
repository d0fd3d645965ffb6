package tasks

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// claim runs until ctx ends: it waits for the bell or the next due time and fills the free slots. Handlers run under work.
func (e *Engine) claim(ctx, work context.Context) {
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-e.bell:
		}
		wait, err := e.fill(ctx, work)
		if err != nil && ctx.Err() == nil {
			e.Log.ErrorContext(ctx, "tasks: nothing could be claimed", "err", err)
		}
		t.Reset(wait)
	}
}

// fill claims what is due while slots are free, and tells when to look again.
func (e *Engine) fill(ctx, work context.Context) (time.Duration, error) {
	for free := cap(e.slots) - len(e.slots); free > 0; free = cap(e.slots) - len(e.slots) {
		kinds := e.kinds()
		wait, any, err := e.nextDue(ctx, kinds)
		if err != nil || !any {
			return beat, err
		}
		if wait > 0 {
			return min(beat, wait+time.Millisecond), nil
		}
		sent := time.Now()
		got, err := e.take(ctx, kinds, free)
		if err != nil {
			return beat, err
		}
		if len(got) == 0 {
			return 20 * time.Millisecond, nil // others hold the rows
		}
		for _, k := range got {
			e.begin(work, k, sent)
		}
	}
	return beat, nil
}

func (e *Engine) kinds() []string {
	e.mu.RLock()
	defer e.mu.RUnlock()
	kinds := make([]string, 0, len(e.handlers))
	for k := range e.handlers {
		kinds = append(kinds, k)
	}
	return kinds
}

func (e *Engine) begin(work context.Context, k task, sent time.Time) {
	e.slots <- struct{}{} // there is room: only this loop fills them
	ctx, stop := context.WithCancelCause(work)
	r := &running{task: k, e: e, stop: stop, till: sent.Add(lease)}
	if old, ok := e.mine.Swap(k.Key, r); ok {
		old.(*running).stop(ErrFenced) // we lost this lease and took it again
	}
	e.work.Go(func() { e.run(context.WithValue(ctx, runKey{}, r), r) })
}

func (e *Engine) run(ctx context.Context, r *running) {
	defer func() {
		e.mine.CompareAndDelete(r.Key, r)
		r.stop(nil)
		<-e.slots
		e.ring()
	}()
	failpoint.Pass("tasks", r.Kind, "claimed")
	err := e.call(ctx, r)
	if errors.Is(err, ErrFenced) || context.Cause(ctx) != nil {
		return // another goes on, or we do after the next start
	}
	failpoint.Pass("tasks", r.Kind, "ending")
	defer failpoint.Pass("tasks", r.Kind, "ended")
	if err := e.finish(ctx, r, e.judge(ctx, r, err)); err != nil && ctx.Err() == nil {
		e.Log.ErrorContext(ctx, "tasks: an end could not be written; the task runs again when its lease runs out", "key", r.Key, "err", err)
	}
}

// call runs the handler.
func (e *Engine) call(ctx context.Context, r *running) (err error) {
	defer e.caught(ctx, r.Kind, r.Key, &err)
	e.mu.RLock()
	handler := e.handlers[r.Kind]
	e.mu.RUnlock()
	return handler(ctx, r.Args)
}

// caught is deferred: a panic is a failure; its value may hold anything, so only what the runtime itself says is told.
func (e *Engine) caught(ctx context.Context, kind, key string, err *error) {
	p := recover()
	if p == nil {
		return
	}
	what := fmt.Sprintf("a panic with a %T", p)
	if own, ok := p.(runtime.Error); ok {
		what = own.Error()
	}
	e.Log.ErrorContext(ctx, "tasks: panic", "kind", kind, "key", key, "what", what, "stack", string(debug.Stack()))
	*err = fault.Internal.Errorf("The handler of %s broke: %s.", kind, what)
}

// ending is what becomes of a row after its run.
type ending struct {
	drop    bool
	attempt int64
	note    string
	after   time.Duration // until the next run
}

// judge turns a handler's answer into the row's ending.
func (e *Engine) judge(ctx context.Context, r *running, err error) ending {
	if snooze, ok := errors.AsType[again](err); ok {
		return ending{after: snooze.after} // the run went well: earlier failures are over
	}
	done := ending{drop: r.Every == 0, after: time.Duration(r.Every) * time.Microsecond}
	if err == nil {
		return done
	}
	note := e.tell(ctx, r.Kind, r.Key, r.Attempt, err)
	if _, ok := errors.AsType[cancel](err); ok {
		done.note = note
		return done
	}
	return ending{attempt: r.Attempt, note: note, after: backoff(r.Attempt)}
}

// backoff is how long to wait after a failed attempt, counted from 1: from a second to a minute.
func backoff(attempt int64) time.Duration {
	return min(time.Minute, time.Second<<min(max(attempt-1, 0), 6))
}

// tell logs a failure and gives the text that stays with the row: the fault's own, or an error id that the log has too.
func (e *Engine) tell(ctx context.Context, kind, key string, attempt int64, err error) string {
	f, id := fault.Of(err), ids.New("err")
	cause := f.Unwrap()
	if cause == nil {
		cause = err
	}
	e.Log.WarnContext(ctx, "tasks: a run failed", "kind", kind, "key", key, "attempt", attempt, "error_id", id, "err", f.Text, "cause", cause)
	if f.Kind == fault.Internal {
		return f.Text + " (" + id + ")"
	}
	return f.Text
}
