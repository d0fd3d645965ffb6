package providers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/sony/gobreaker/v2"

	"github.com/sutlerhq/sutler/internal/fault"
)

// grace is how long after its deadline a driver may still hand back the State it reached, before its call is left alone.
const grace = time.Second

// about is what a call is about: the instance, and the binding where it is about one.
type about struct{ instance, binding string }

// subject is the name that a call goes by in the log.
func (a about) subject() string { return cmp.Or(a.binding, a.instance) }

// call runs one verb of the driver behind the breaker and the deadline. What the driver returned beside an error is returned too:
// its State must be kept even when the call failed.
func call[T any](ctx context.Context, p *Provider, verb string, of about, f func(context.Context) (T, error)) (T, error) {
	if p.Away {
		var none T
		return none, p.notHere()
	}
	began := time.Now()
	p.mu.Lock()
	breaker := p.breaker
	p.mu.Unlock()
	out, err := breaker.Execute(func() (any, error) {
		v, err := bounded(ctx, p.Deadline, f)
		return v, p.blame(of.instance, p.class(ctx, verb, err))
	})
	result, _ := out.(T)
	if own, ok := errors.AsType[ownFault](err); ok {
		err = own.error
	}
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		err = fault.Unavailable.Wrap(err, "%s failed several times in a row and is left alone for a moment.", p.Name).WithHint("It is tried again within %s.", p.Pause)
	}
	p.report(ctx, verb, of.subject(), began, err)
	return result, err
}

// bounded gives f a deadline and catches its panic. A driver that does not heed its context is left behind after a grace; that its
// call may still finish later is what idempotence by ID is for.
func bounded[T any](ctx context.Context, deadline time.Duration, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	type outcome struct {
		v   T
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		defer cancel()
		var o outcome
		defer func() {
			if r := recover(); r != nil {
				o.err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
			}
			done <- o
		}()
		o.v, o.err = f(ctx)
	}()
	select {
	case o := <-done:
		return o.v, o.err
	case <-ctx.Done():
	}
	late := time.NewTimer(grace)
	defer late.Stop()
	select {
	case o := <-done:
		return o.v, o.err
	case <-late.C:
		var none T
		return none, ctx.Err()
	}
}

// report writes one line a call: names, ids and durations, never parameters or credentials.
func (p *Provider) report(ctx context.Context, verb, subject string, began time.Time, err error) {
	if p.Called != nil {
		p.Called(verb, time.Since(began), err)
	}
	attrs := []any{"verb", verb, "subject", subject, "took", time.Since(began).Round(time.Microsecond).String()}
	if err == nil {
		p.log.DebugContext(ctx, "provider call", attrs...)
		return
	}
	f := fault.Of(err)
	attrs = append(attrs, "kind", f.Kind, "error", f.Text)
	if cause := f.Unwrap(); cause != nil {
		attrs = append(attrs, "cause", cause.Error())
	}
	p.log.WarnContext(ctx, "provider call failed", attrs...)
}
