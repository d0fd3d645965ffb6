package broker

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// settleTime bounds the transaction after a step. It does not end with the process's context: what a driver returned must be kept.
const settleTime = 5 * time.Second

// settle writes what a step came to, in one fenced transaction: the driver's state always, and the operation's new state unless a delete took its place.
func (b *Broker) settle(ctx context.Context, j job, out outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return b.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if err = tasks.Hold(ctx); err != nil {
			return err
		}
		if j.instance, _, err = b.lockInstance(ctx, j.op.Instance); err != nil {
			return err
		}
		if j.op, _, err = b.findOperation(ctx, j.op.ID); err != nil {
			return err
		}
		if j.op.Binding != "" {
			if j.binding, _, err = b.findBinding(ctx, "id = ?", j.op.Binding); err != nil {
				return err
			}
		}
		if err = b.keep(ctx, &j, out); err != nil {
			return err
		}
		if err = failpoint.Hit("broker", j.op.Verb, "keeping"); err != nil {
			return err
		}
		if j.op.Live == 1 {
			if err = b.advance(ctx, &j, out); err != nil {
				return err
			}
		}
		if err = b.saveInstance(ctx, j.instance); err == nil && j.op.Binding != "" {
			err = b.saveBinding(ctx, j.binding)
		}
		if err == nil {
			err = failpoint.Hit("broker", j.op.Verb, "settling")
		}
		b.DB.AfterCommit(ctx, func() { failpoint.Pass("broker", j.op.Verb, "settled") })
		b.changed(ctx, j.instance, j.binding)
		return err
	})
}

// keep seals the state that the driver returned.
func (b *Broker) keep(ctx context.Context, j *job, out outcome) (err error) {
	switch {
	case out.progress.State == nil:
	case j.op.Binding != "":
		j.binding.DriverState, err = b.Box.Seal(ctx, j.binding.Org, "binding/"+j.binding.ID+"/state", out.progress.State)
	default:
		j.instance.DriverState, err = b.Box.Seal(ctx, j.instance.Org, "instance/"+j.instance.ID+"/state", out.progress.State)
	}
	return err
}

// advance moves the operation on: to its end, to its failure, or to the next try.
func (b *Broker) advance(ctx context.Context, j *job, out outcome) error {
	j.op.Attempts++
	if j.op.Source != "" {
		j.op.Phase = out.phase
	}
	j.leave()
	if out.err == nil && out.progress.Done {
		return b.finish(ctx, j, out)
	}
	why := cmp.Or(out.progress.Note, "In progress.")
	wait := cmp.Or(out.progress.RetryAfter, stepPause)
	if out.err != nil {
		j.op.Failures++
		j.op.FailingSince = cmp.Or(j.op.FailingSince, wall())
		why, wait = fault.Of(out.err).Text, max(out.progress.RetryAfter, b.pause(j.instance.Provider, j.op.Failures, out.err))
		if _, ok := errors.AsType[missed](out.err); ok {
			why, wait = j.miss(why, out.err), max(wait, backoff(j.op.Misses))
		}
		b.Log.Warn("operation", "id", j.op.ID, "verb", j.op.Verb, "instance", j.op.Instance, "binding", j.op.Binding, "failures", j.op.Failures, "err", out.err)
	} else if j.op.Misses > 0 { // a copy that is begun again has not succeeded yet
		why = j.op.Note
	} else {
		j.op.Failures, j.op.FailingSince = 0, 0
	}
	patience := cmp.Or(j.plan.MaxPolling, week)
	if j.op.Source != "" {
		patience = week // it takes as long as the data take
	}
	left := patience - time.Duration(wall()-j.op.StartedAt)*time.Microsecond
	late := left < 0
	if late {
		why = "It did not end within " + patience.String() + ". " + why
	} else {
		wait = min(wait, left+time.Millisecond) // its end is not slept over
	}
	j.op.Note, j.op.NextAt = why, wall()+wait.Microseconds()
	j.say(why)
	if definite(out.err) {
		j.op.Definite = 1
	}
	if definite(out.err) || late || j.exhausted(out.err) {
		return b.fail(ctx, j, why)
	}
	return b.saveOperation(ctx, j.op)
}

// leave takes a failed instance or binding, or one that has expired, on its way out once its clean-up has begun.
func (j *job) leave() {
	if j.op.Verb == verbDeprovision && j.instance.State == Failed {
		j.instance.State = Deleting
	}
	if j.op.Verb == verbUnbind && j.binding.State == Expiring {
		j.binding.Operation = j.op.ID
	}
	if j.op.Verb == verbUnbind && j.binding.State.May(Deleting) {
		j.binding.State = Deleting
	}
}

// say shows what is being done on the thing itself, but never over the reason of a failure that is being cleaned up.
func (j *job) say(note string) {
	if j.op.Binding != "" {
		if j.binding.Operation == j.op.ID {
			j.binding.Note = note
		}
	} else if j.instance.Operation == j.op.ID {
		j.instance.Note = note
	}
}

// finish ends the operation well. What becomes ready is charged for in this very transaction.
func (b *Broker) finish(ctx context.Context, j *job, out outcome) (err error) {
	now := b.Clock.Now()
	j.say("")
	switch j.op.Verb {
	case verbProvision:
		j.instance.State, j.instance.ReadyAt, j.instance.DashboardURL = Ready, now.UnixMicro(), out.dashboard
		if err = b.startMeter(ctx, j, now); err == nil {
			err = b.stand(ctx, &j.instance)
		}
	case verbUpdate:
		err = b.finishUpdate(ctx, j, out, now)
	case verbDeprovision:
		if j.instance.State != Gone { // else reconcile found it again
			j.instance.GoneAt = now.UnixMicro()
		}
		j.instance.State, j.instance.Health, j.instance.HealthNote, j.instance.Excess, j.instance.ExcessDue = Gone, "", "", "", 0
	case verbSuspend:
		err = b.finishSuspend(ctx, j, now)
	case verbResume:
		err = b.finishResume(ctx, j, now)
	case verbBind, verbRotate:
		j.binding.State = Ready
		if !out.grant.ExpiresAt.IsZero() {
			j.binding.ExpiresAt = out.grant.ExpiresAt.UnixMicro()
		}
		if err = b.keepGrant(ctx, j, out); err == nil {
			err = b.expire(ctx, j)
		}
	case verbUnbind:
		if j.binding.State != Gone {
			j.binding.GoneAt = now.UnixMicro()
		}
		j.binding.State = Gone
		j.binding.Seed, j.binding.Credentials = "", ""
	}
	if err != nil {
		return err
	}
	if err := b.end(ctx, &j.op, succeeded, ""); err != nil {
		return err
	}
	return b.recordEnd(ctx, j)
}

func (b *Broker) startMeter(ctx context.Context, j *job, at time.Time) error {
	s, err := b.snapshotOf(ctx, j.instance, j.offering.Category)
	if err != nil {
		return err
	}
	if m, moving, err := b.findMove(ctx, "ended_at = 0 AND target = ?", j.instance.ID); err != nil {
		return err
	} else if moving {
		s.InstanceName = m.Name // as its invoice shall call it
	}
	if err := b.Meter.Start(ctx, s, at); err != nil {
		return err
	}
	return failpoint.Hit("broker", j.op.Verb, "charged")
}

// snapshotOf is what is sold to whom as the row stands.
func (b *Broker) snapshotOf(ctx context.Context, r instanceRow, category string) (catalog.Snapshot, error) {
	t, err := b.Tenants.Tenancy(ctx, identity.Scope{Org: r.Org, Project: r.Project, App: r.App})
	return snapshot(r, t, category), err
}

// keepGrant seals the credentials into the row that lets us revoke them.
func (b *Broker) keepGrant(ctx context.Context, j *job, out outcome) error {
	plain, err := json.Marshal(grant{Values: out.grant.Credentials, Endpoints: out.grant.Endpoints})
	if err != nil {
		return err
	}
	if j.binding.Credentials, err = b.Box.Seal(ctx, j.binding.Org, "binding/"+j.binding.ID+"/credentials", plain); err != nil {
		return err
	}
	return failpoint.Hit("broker", j.op.Verb, "sealed")
}

// fail ends the operation badly. What was half made is cleaned up by the broker itself while the failed operation stays the latest one shown;
// a delete that fails says so and is tried again for ever.
func (b *Broker) fail(ctx context.Context, j *job, why string) error {
	first := j.op.State == inProgress
	switch j.op.Verb {
	case verbUnbind, verbDeprovision:
		if err := b.giveUp(ctx, &j.op, why); err != nil || !first {
			return err
		}
		if err := b.holdUp(ctx, j); err != nil {
			return err
		}
		return b.recordEnd(ctx, j)
	case verbProvision:
		j.instance.State = Failed
		if err := b.begin(ctx, newOperation(j.instance.ID, "", verbDeprovision)); err != nil {
			return err
		}
	case verbUpdate:
		j.instance.State = Ready // on its old plan, with its old parameters
		if err := b.restand(ctx, j, false); err != nil {
			return err
		}
	case verbResume:
		j.instance.Note = why
	case verbSuspend:
		j.instance.State, j.instance.Note = Ready, why
		if _, err := b.dropSuspension(ctx, j.instance.ID, ""); err != nil {
			return err
		}
	case verbBind, verbRotate:
		j.binding.State = Failed
		if err := b.giveBack(ctx, &j.binding); err != nil {
			return err
		}
		if err := b.begin(ctx, newOperation(j.instance.ID, j.binding.ID, verbUnbind)); err != nil {
			return err
		}
	}
	if err := b.end(ctx, &j.op, failed, why); err != nil {
		return err
	}
	return b.recordEnd(ctx, j)
}

// giveUp shows a delete as failed; it stays live, is tried again and listed as stuck.
func (b *Broker) giveUp(ctx context.Context, op *operationRow, why string) error {
	op.State, op.Note, op.EndedAt = failed, why, wall()
	b.DB.AfterCommit(ctx, func() { b.hub.ended(op.ID) })
	return b.saveOperation(ctx, *op)
}

// holdUp lets an instance's delete say failed as well when one of its bindings cannot be ended: it waits for that one.
func (b *Broker) holdUp(ctx context.Context, j *job) error {
	if j.op.Verb != verbUnbind {
		return nil
	}
	op, waiting, err := b.deleting(ctx, j.instance)
	if err != nil || !waiting {
		return err
	}
	return b.giveUp(ctx, &op, "A binding cannot be ended: "+j.op.Note)
}

// recordEnd tells the audit trail how an operation ended.
func (b *Broker) recordEnd(ctx context.Context, j *job) error {
	b.observe(ctx, j.op, j.instance.Provider)
	market := identity.Principal{Kind: identity.System, Name: "broker"}
	detail := map[string]string{"verb": j.op.Verb, "instance": j.op.Instance}
	if j.op.Binding != "" {
		detail["binding"] = j.op.Binding
	}
	return b.record(ctx, market, j.instance.scope(), "operation."+j.op.State, "operation/"+j.op.ID, detail)
}

// changed tells those who watch, once the transaction has committed.
func (b *Broker) changed(ctx context.Context, r instanceRow, bd bindingRow) {
	c := Change{Instance: r.ID, Project: r.Project, State: r.State, Note: r.Note}
	if bd.ID != "" {
		c.Binding, c.State, c.Note = bd.ID, bd.State, bd.Note
	}
	b.DB.AfterCommit(ctx, func() { b.hub.tell(c) })
}
