package broker

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

// work names an instance whose operations want to go on; a task's arguments hold ids only.
type work struct{ Instance string }

// How long a step that is not done waits when the driver does not say, and the bounds of the wait after an error.
const (
	stepPause  = 200 * time.Millisecond
	firstRetry = 250 * time.Millisecond
	lastRetry  = 30 * time.Second
	lastAway   = 2 * time.Second // when the provider is up, and was away just now
	week       = 7 * 24 * time.Hour
)

// work drives the operations of one instance when it is its turn among those of its provider.
func (b *Broker) work(ctx context.Context, w work) error {
	r, _, err := b.findInstance(ctx, "id = ?", w.Instance)
	if err != nil {
		return err
	}
	if b.elsewhere(r.Provider) { // its node was not known when this was asked for
		return b.DB.Tx(ctx, func(ctx context.Context) error { return b.wake(ctx, r.ID) })
	}
	again, ok := b.turns.take(r.Provider, r.ID)
	if !ok {
		return tasks.Snooze(again)
	}
	defer func() {
		if next, any := b.turns.give(r.Provider); any {
			b.call(ctx, next)
		}
	}()
	return b.drive(ctx, w)
}

// call wakes the work whose turn it is. Should that fail, it comes by itself a little later.
func (b *Broker) call(ctx context.Context, instance string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if err := b.DB.Tx(ctx, func(ctx context.Context) error { return b.wake(ctx, instance) }); err != nil {
		b.Log.Warn("work that waits for its turn is not called", "instance", instance, "err", err)
	}
}

// drive goes on with the operations of one instance, a step at a time, until none is left or all have to wait.
func (b *Broker) drive(ctx context.Context, w work) error {
	for {
		ops, err := b.liveOperations(ctx, w.Instance)
		if err != nil || len(ops) == 0 {
			return err
		}
		soonest, worked := int64(1<<62), false
		for n, op := range ops {
			if op.Verb == verbDeprovision && n > 0 {
				continue // its bindings first
			}
			if op.NextAt > wall() {
				soonest = min(soonest, op.NextAt)
				continue
			}
			if err := b.step(ctx, op); err != nil {
				return err
			}
			worked = true
		}
		if !worked {
			return tasks.Snooze(time.Duration(max(0, soonest-wall())) * time.Microsecond)
		}
	}
}

// job is one step of an operation: what is stored, and what the driver is told.
type job struct {
	op       operationRow
	instance instanceRow
	binding  bindingRow
	plan     catalog.Plan
	offering catalog.Offering
	told     providers.Instance
	target   catalog.Plan       // of an update
	toldNext providers.Instance // what an update leads to
	toldBind providers.Binding
}

// outcome is what a step came to.
type outcome struct {
	progress  providers.Progress
	grant     providers.Grant
	dashboard string
	phase     string // of a provision that is filled
	err       error
}

func (b *Broker) step(ctx context.Context, op operationRow) error {
	j, err := b.prepare(ctx, op)
	if err != nil {
		return b.unprepared(ctx, j, err)
	}
	if op.Verb == verbDeprovision && op.Attempts == 0 && j.instance.ReadyAt > 0 && j.instance.State != Gone {
		b.readLast(ctx, j)
	}
	out := b.act(ctx, j)
	if errors.Is(out.err, tasks.ErrFenced) {
		return out.err
	}
	if err := failpoint.Hit("broker", op.Verb, "called"); err != nil {
		return err
	}
	if op.Verb == verbUpdate && out.err == nil && out.progress.Done && op.Plan != j.instance.PlanID {
		b.readChange(ctx, j, out)
	}
	return b.settle(ctx, j, out)
}

// unprepared makes what is wrong with an operation's own rows, a sealed value that does not open, a failure of that operation: it is counted, shown and
// waits ever longer as any other. A store that does not answer is no fault of the operation's.
func (b *Broker) unprepared(ctx context.Context, j job, err error) error {
	f, ok := errors.AsType[*fault.Fault](err)
	if !ok || ctx.Err() != nil || f.Kind == fault.Unavailable || f.Kind == fault.Timeout {
		return err
	}
	return b.settle(ctx, j, outcome{err: err})
}

// prepare loads and opens everything that the step needs.
func (b *Broker) prepare(ctx context.Context, op operationRow) (j job, err error) {
	j.op = op
	if j.instance, _, err = b.findInstance(ctx, "id = ?", op.Instance); err != nil {
		return j, err
	}
	if j.offering, j.plan, err = b.Plan(ctx, j.instance.PlanID); err != nil {
		return j, err
	}
	if j.told, err = b.told(ctx, j.instance, j.plan); err != nil {
		return j, err
	}
	if op.Verb == verbUpdate {
		return j, b.prepareUpdate(ctx, &j)
	}
	if op.Binding == "" {
		return j, nil
	}
	if j.binding, _, err = b.findBinding(ctx, "id = ?", op.Binding); err != nil {
		return j, err
	}
	row := j.binding
	at := "binding/" + row.ID
	j.toldBind = providers.Binding{ID: row.ID, App: row.App, ExpiresAt: instant(row.ExpiresAt), Predecessor: row.Predecessor}
	if j.toldBind.Params, err = b.openJSON(ctx, row.Org, at+"/params", row.Params); err != nil {
		return j, err
	}
	if j.toldBind.State, err = b.Box.Open(ctx, row.Org, at+"/state", row.DriverState); err != nil {
		return j, err
	}
	j.toldBind.Seed, err = b.Box.Open(ctx, row.Org, at+"/seed", row.Seed)
	return j, err
}

// told is what a driver is told of an instance.
func (b *Broker) told(ctx context.Context, r instanceRow, plan catalog.Plan) (i providers.Instance, err error) {
	i = providers.Instance{ID: r.ID, Offering: r.Offering, Plan: plan, Owner: providers.Owner{Org: r.Org, Project: r.Project}}
	if i.Params, err = b.openJSON(ctx, r.Org, "instance/"+r.ID+"/params", r.Params); err != nil {
		return i, err
	}
	i.State, err = b.Box.Open(ctx, r.Org, "instance/"+r.ID+"/state", r.DriverState)
	return i, err
}

func (b *Broker) openJSON(ctx context.Context, org, row, sealed string) (json.RawMessage, error) {
	plain, err := b.Box.Open(ctx, org, row, sealed)
	if len(plain) == 0 {
		plain = []byte("{}")
	}
	return plain, err
}

// act asks the provider for the operation's verb.
func (b *Broker) act(ctx context.Context, j job) (out outcome) {
	p, ok := b.Providers.Get(j.instance.Provider)
	if !ok {
		return outcome{err: fault.Unavailable.Errorf("The provider %s is not configured any more.", j.instance.Provider)}
	}
	if j.op.Verb == verbProvision || j.op.Verb == verbBind || j.op.Verb == verbRotate {
		c, cancel := context.WithCancel(ctx)
		defer cancel()
		b.underway.Store(j.instance.ID, cancel)
		defer b.underway.Delete(j.instance.ID)
		ctx = c
	}
	out.err = b.ask(ctx, func(ctx context.Context) (err error) {
		if err = failpoint.Hit("broker", j.op.Verb, "calling"); err != nil {
			return err
		}
		switch j.op.Verb {
		case verbProvision:
			if j.op.Source != "" {
				out.phase, out.progress, err = b.provisionFilled(ctx, p, j)
				return err
			}
			out.progress, err = p.Provision(ctx, j.told)
		case verbUpdate:
			out.progress, err = p.Update(ctx, j.told, j.toldNext)
		case verbDeprovision:
			out.progress, err = p.Deprovision(ctx, j.told)
		case verbBind, verbRotate:
			out.grant, out.progress, err = p.Bind(ctx, j.told, j.toldBind)
		case verbUnbind:
			out.progress, err = p.Unbind(ctx, j.told, j.toldBind)
		case verbSuspend:
			out.progress, err = p.Suspend(ctx, j.told)
		case verbResume:
			out.progress, err = p.Resume(ctx, j.told)
		}
		return err
	})
	if out.err == nil && out.progress.Done && (j.op.Verb == verbProvision || j.op.Verb == verbUpdate) {
		now := j.told
		if j.op.Verb == verbUpdate {
			now = j.toldNext
		}
		if out.progress.State != nil {
			now.State = out.progress.State
		}
		out.dashboard = p.Dashboard(now)
	}
	return out
}

// ask is the only way to a provider: never inside a transaction, and only while this worker still holds its lease.
func (b *Broker) ask(ctx context.Context, f func(context.Context) error) error {
	if b.DB.In(ctx) {
		return fault.Internal.Errorf("A provider was to be called inside a transaction.")
	}
	if err := tasks.Alive(ctx); err != nil {
		return err
	}
	return f(ctx)
}

// definite tells whether asking again is of no use.
func definite(err error) bool {
	k := fault.KindOf(err)
	return err != nil && (k == fault.Invalid || k == fault.Refused)
}

// backoff is the wait before the nth try after an error: doubling, bounded, spread so that many do not come at once.
func backoff(failures int64) time.Duration {
	d := min(lastRetry, firstRetry<<min(failures-1, 10))
	return d*4/5 + rand.N(d*2/5)
}
