package broker

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// The reasons an instance can be suspended for. Each is lifted by whoever gave it; the last one that goes lets the instance in again.
const (
	ByOwner    = "owner"    // somebody who may change the instance asked for it
	ByOperator = "operator" // the market's operator did
	ByLimit    = "limit"    // it stayed over a limit of its plan for longer than the grace
	ByBudget   = "budget"   // a budget is used up
	ByUnpaid   = "unpaid"   // an invoice is overdue
	ByMove     = "move"     // it is being moved, or was moved and nobody has confirmed that yet
)

// Suspension is one reason why an instance is suspended.
type Suspension struct {
	Reason string
	Why    string // for people
	Since  time.Time
}

// Suspend refuses logins to an instance and keeps its data, by a durable operation. Who may change the instance suspends as its owner, an operator
// as the market; each lifts only what is theirs. The same again changes nothing.
func (b *Broker) Suspend(ctx context.Context, who identity.Principal, instance, why string) (Instance, error) {
	if len(why) > 500 || strings.ContainsFunc(why, unicode.IsControl) {
		return Instance{}, fault.Invalid.Errorf("The reason is one line of at most 500 bytes.").WithFields(fault.Field{Path: "/why", Reason: "must be one line of at most 500 bytes"})
	}
	r, reason, err := b.suspender(ctx, who, instance)
	if err != nil {
		return Instance{}, err
	}
	return b.alter(ctx, r.ID, func(ctx context.Context, r *instanceRow) error {
		if err := b.suspendable(*r); err != nil {
			return err
		}
		return b.holdBack(ctx, who, r, reason, why)
	})
}

// Resume lifts the caller's own reason: the owner's, or the operator's, who also lifts a limit's and so gives another grace. While another reason
// is left the instance stays suspended, and fault.Refused says which.
func (b *Broker) Resume(ctx context.Context, who identity.Principal, instance string) (Instance, error) {
	r, reason, err := b.suspender(ctx, who, instance)
	if err != nil {
		return Instance{}, err
	}
	reasons := []string{reason}
	if reason == ByOperator {
		reasons = append(reasons, ByLimit)
	}
	return b.alter(ctx, r.ID, func(ctx context.Context, r *instanceRow) error {
		if r.State == Deleting || r.State == Gone || r.State == Failed {
			return b.suspendable(*r)
		}
		lifted, err := b.letBack(ctx, who, r, reasons...)
		if err != nil || lifted {
			return err
		}
		left, err := b.suspensionsOf(ctx, r.ID)
		if err != nil || len(left) == 0 {
			return err
		}
		return fault.Refused.Errorf("%s stays suspended: %s.", r.Name, because(left)).WithHint("%s", remedy(left))
	})
}

// SuspendAll suspends every live instance of an org, project or app for a reason of the market's own; ResumeAll lifts that reason.
// Both are idempotent and ask no permission.
func (b *Broker) SuspendAll(ctx context.Context, s identity.Scope, reason, why string) error {
	return b.alterAll(ctx, s, func(ctx context.Context, r *instanceRow) error {
		if b.suspendable(*r) != nil && r.State != Creating && r.State != Updating {
			return nil // on its way out, or there is no way to suspend it
		}
		return b.holdBack(ctx, itself, r, reason, why)
	})
}

// ResumeAll lifts a reason of the market's own from every live instance of an org, project or app.
func (b *Broker) ResumeAll(ctx context.Context, s identity.Scope, reason string) error {
	return b.alterAll(ctx, s, func(ctx context.Context, r *instanceRow) error {
		_, err := b.letBack(ctx, itself, r, reason)
		return err
	})
}

// itself is the broker as the audit trail names it.
var itself = identity.Principal{Kind: identity.System, Name: "broker"}

func (b *Broker) alterAll(ctx context.Context, s identity.Scope, f func(context.Context, *instanceRow) error) error {
	ids, err := b.under(ctx, s.Org, s.Project, s.App)
	for _, id := range ids {
		if _, err := b.alter(ctx, id, f); err != nil {
			return err
		}
	}
	return err
}

// suspender finds the instance and the reason that who stands for.
func (b *Broker) suspender(ctx context.Context, who identity.Principal, instance string) (instanceRow, string, error) {
	r, err := b.seenInstance(ctx, who, instance)
	switch {
	case err != nil:
		return r, "", err
	case identity.Can(who, identity.OperationManage, identity.Scope{}):
		return r, ByOperator, nil
	}
	return r, ByOwner, may(who, identity.InstanceWrite, r.scope(), noInstance(instance))
}

// alter changes one instance with nobody else at it, and saves it.
func (b *Broker) alter(ctx context.Context, id string, f func(context.Context, *instanceRow) error) (Instance, error) {
	var r instanceRow
	err := b.DB.Tx(ctx, func(ctx context.Context) (err error) {
		if r, err = b.take(ctx, id); err != nil {
			return err
		}
		if err = f(ctx, &r); err != nil {
			return err
		}
		b.changed(ctx, r, bindingRow{})
		return b.saveInstance(ctx, r)
	})
	if err != nil {
		return Instance{}, err
	}
	return b.turning(ctx, r)
}

// turning is the instance with the operation that suspends or resumes it, while there is one.
func (b *Broker) turning(ctx context.Context, r instanceRow) (Instance, error) {
	i, err := b.opened(ctx, r)
	if err != nil {
		return i, err
	}
	ops, err := b.liveOperations(ctx, r.ID)
	for _, op := range ops {
		if op.Verb == verbSuspend || op.Verb == verbResume {
			i.Operation = op.view()
		}
	}
	return i, err
}

// suspendable says why an instance cannot be suspended now.
func (b *Broker) suspendable(r instanceRow) error {
	switch r.State {
	case Ready, Suspended:
	case Deleting, Failed:
		return fault.Busy.Errorf("%s is being deleted.", r.Name).WithCode("ConcurrencyError")
	case Gone:
		return fault.Gone.Errorf("The instance %s is gone.", r.Name)
	default:
		return fault.Busy.Errorf("%s is %s. Try again when it is ready.", r.Name, r.State).WithCode("ConcurrencyError")
	}
	if p, ok := b.Providers.Get(r.Provider); ok && !p.Can(providers.Suspends) {
		return fault.Unprocessable.Errorf("%s cannot be suspended: its provider has no way to do it.", r.Name)
	}
	return nil
}

// holdBack adds a reason, and begins the operation when it is the first. Only with the row locked; the caller saves it.
func (b *Broker) holdBack(ctx context.Context, who identity.Principal, r *instanceRow, reason, why string) error {
	fresh, err := b.addSuspension(ctx, suspensionRow{Instance: r.ID, Reason: reason, Why: why, Since: b.Clock.Now().UnixMicro()})
	if err != nil || !fresh {
		return err
	}
	if err := b.record(ctx, who, r.scope(), "instance.suspend", "instance/"+r.ID, map[string]string{"name": r.Name, "reason": reason, "why": why}); err != nil {
		return err
	}
	return b.stand(ctx, r)
}

// letBack drops reasons, and begins the operation when none is left. It tells whether one of them was there.
func (b *Broker) letBack(ctx context.Context, who identity.Principal, r *instanceRow, reasons ...string) (lifted bool, err error) {
	for _, reason := range reasons {
		was, err := b.dropSuspension(ctx, r.ID, reason)
		if err != nil {
			return lifted, err
		}
		if !was {
			continue
		}
		lifted = true
		if reason == ByLimit && r.Excess != "" {
			r.ExcessDue = b.Clock.Now().Add(b.WatchGrace).UnixMicro()
		}
		if err := b.record(ctx, who, r.scope(), "instance.resume", "instance/"+r.ID, map[string]string{"name": r.Name, "reason": reason}); err != nil {
			return lifted, err
		}
	}
	return lifted, b.stand(ctx, r)
}

// stand brings an instance that is ready or suspended to where its reasons want it: an operation of the other direction that is still running
// is replaced. It is called whenever reasons change and whenever an instance becomes ready. Only with the row locked; the caller saves it.
func (b *Broker) stand(ctx context.Context, r *instanceRow) error {
	if r.State != Ready && r.State != Suspended {
		return nil
	}
	reasons, err := b.suspensionsOf(ctx, r.ID)
	if err != nil {
		return err
	}
	verb, other := verbResume, verbSuspend
	if len(reasons) > 0 {
		verb, other = verbSuspend, verbResume
	}
	ops, err := b.liveOperations(ctx, r.ID)
	if err != nil {
		return err
	}
	underway := slices.ContainsFunc(ops, func(o operationRow) bool { return o.Verb == verb })
	turned := false
	for _, op := range ops {
		if op.Verb == other {
			turned = true
			if err := b.end(ctx, &op, failed, "The contrary was asked for."); err != nil {
				return err
			}
		}
	}
	there := r.State == Suspended && verb == verbSuspend || r.State == Ready && verb == verbResume
	if underway || there && !turned {
		if len(reasons) > 0 {
			r.Note = because(reasons)
		}
		return nil
	}
	op := newOperation(r.ID, "", verb)
	r.State, r.Note = Suspended, "Being resumed." // the latest operation stays what a platform asked for
	if verb == verbSuspend {
		r.Note = because(reasons)
	}
	return b.begin(ctx, op)
}

// because tells the reasons to people.
func because(reasons []suspensionRow) string {
	words := map[string]string{
		ByOwner: "suspended by its owners", ByOperator: "suspended by the market's operator", ByLimit: "over a limit of its plan",
		ByBudget: "a budget is used up", ByUnpaid: "an invoice is overdue", ByMove: "it is being moved",
	}
	var parts []string
	for _, r := range reasons {
		part := words[r.Reason]
		if r.Why != "" {
			part += " (" + r.Why + ")"
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, "; ")
}

// remedy tells what the owners of a suspended instance can do.
func remedy(reasons []suspensionRow) string {
	for _, r := range reasons {
		if r.Reason == ByMove {
			return "End the move: sutler move NAME --confirm, or --roll-back."
		}
		if r.Reason == ByLimit {
			return "Change it to a bigger plan (sutler update NAME --plan PLAN), or ask the operator for more time."
		}
	}
	return "Ask the market's operator."
}

// finishSuspend and finishResume end the operations; charging pauses and goes on in the same transaction.
func (b *Broker) finishSuspend(ctx context.Context, j *job, now time.Time) error {
	reasons, err := b.suspensionsOf(ctx, j.instance.ID)
	if err != nil {
		return err
	}
	j.instance.State, j.instance.Note = Suspended, because(reasons)
	if err := b.Meter.Suspend(ctx, j.instance.ID, now); err != nil {
		return err
	}
	return failpoint.Hit("broker", j.op.Verb, "charged")
}

func (b *Broker) finishResume(ctx context.Context, j *job, now time.Time) error {
	j.instance.State, j.instance.Note = Ready, ""
	if err := b.Meter.Resume(ctx, j.instance.ID, now); err != nil {
		return err
	}
	return failpoint.Hit("broker", j.op.Verb, "charged")
}
