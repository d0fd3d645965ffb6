package broker

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// stuckAfter is how many failures in a row make an operation one that needs a person.
const stuckAfter = 5

// stuck says why an operation needs a person, or nothing when it does not.
func (r operationRow) stuck() string {
	switch {
	case r.Live == 0:
		return ""
	case r.State == failed:
		return "It was given up and is still tried: " + r.Note
	case r.Misses > 0:
		return fmt.Sprintf("The data could not be copied into it %d times: %s", r.Misses, r.Note)
	case r.Failures >= stuckAfter:
		return fmt.Sprintf("It failed %d times in a row: %s", r.Failures, r.Note)
	}
	return ""
}

// failingSince is since when nothing of an operation has succeeded: the first failure in a row, or the hour at which it was given up.
func (r operationRow) failingSince() int64 {
	if r.FailingSince == 0 && r.Live == 1 && r.State == failed {
		return r.EndedAt
	}
	return r.FailingSince
}

// RetryOperation tries an operation that has work left now, and lets its waits grow from the smallest again. Operators only.
func (b *Broker) RetryOperation(ctx context.Context, who identity.Principal, id string) (Operation, error) {
	return b.handle(ctx, who, id, func(ctx context.Context, r instanceRow, op *operationRow) error {
		if op.State == failed {
			op.State, op.EndedAt = inProgress, 0
		}
		op.Failures, op.FailingSince, op.Definite, op.Misses, op.NextAt = 0, 0, 0, 0, 0
		if err := b.saveOperation(ctx, *op); err != nil {
			return err
		}
		if err := b.hasten(ctx, r.ID); err != nil { // what it waits for as well
			return err
		}
		return b.record(ctx, who, r.scope(), "operation.retry", "operation/"+op.ID, map[string]string{"verb": op.Verb, "instance": r.ID})
	})
}

// PurgeOperation gives up a delete that cannot succeed: what it was to end counts as gone from now on and is not charged for, although the provider
// may still hold it; the operation's note says what. The reason goes to the audit trail. Operators only.
func (b *Broker) PurgeOperation(ctx context.Context, who identity.Principal, id, reason string) (Operation, error) {
	reason = strings.TrimSpace(reason)
	if reason == "" || len(reason) > 500 || strings.ContainsFunc(reason, unicode.IsControl) {
		return Operation{}, fault.Invalid.Errorf("Giving up needs a reason, for those who read the audit trail.").
			WithFields(fault.Field{Path: "/reason", Reason: "must be one line of 1 to 500 bytes"})
	}
	return b.handle(ctx, who, id, func(ctx context.Context, r instanceRow, op *operationRow) error {
		if op.Verb != verbUnbind && op.Verb != verbDeprovision {
			return fault.Unprocessable.Errorf("Only a delete can be given up; this is a %s, which ends by itself.", op.Verb).
				WithHint("Destroy the instance first when it may not stay.")
		}
		if op.stuck() == "" {
			return fault.Unprocessable.Errorf("This operation is not stuck: let it end.").WithHint("sutler operations --stuck lists those that are.")
		}
		left, err := b.abandon(ctx, &r, op)
		if err != nil {
			return err
		}
		return b.record(ctx, who, r.scope(), "operation.purge", "operation/"+op.ID,
			map[string]string{"verb": op.Verb, "instance": r.ID, "binding": op.Binding, "reason": reason, "left": left})
	})
}

// handle lets an operator change an operation that has work left, with its instance to itself.
func (b *Broker) handle(ctx context.Context, who identity.Principal, id string, change func(context.Context, instanceRow, *operationRow) error) (Operation, error) {
	if !identity.Can(who, identity.OperationManage, identity.Scope{}) {
		if _, err := b.Operation(ctx, who, id); err != nil {
			return Operation{}, err
		}
		return Operation{}, fault.Forbidden.Errorf("Only an operator may do this.")
	}
	op, found, err := b.findOperation(ctx, id)
	if err == nil && !found {
		err = fault.NotFound.Errorf("There is no operation %q.", id)
	}
	if err != nil {
		return Operation{}, err
	}
	var r instanceRow
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if r, err = b.take(ctx, op.Instance); err != nil {
			return err
		}
		if op, _, err = b.findOperation(ctx, id); err != nil {
			return err
		}
		if op.Live == 0 {
			return fault.Unprocessable.Errorf("The operation has ended: %s.", op.State)
		}
		return change(ctx, r, &op)
	})
	return op.of(r), err
}

// abandon ends what a delete was to end, and says what may be left at the provider.
func (b *Broker) abandon(ctx context.Context, r *instanceRow, op *operationRow) (left string, err error) {
	if op.Verb == verbUnbind {
		left = "the access " + op.Binding + " to " + r.ID
	} else {
		left = "the backend " + r.ID
	}
	note := fmt.Sprintf("Given up by an operator. %s may still hold %s.", r.Provider, left)
	if err := b.end(ctx, op, failed, note); err != nil {
		return left, err
	}
	if op.Verb == verbUnbind {
		return left, b.abandonBinding(ctx, *r, op.Binding, note)
	}
	bindings, err := b.listBindings(ctx, "instance = ? AND state <> 'gone'", r.ID)
	if err != nil {
		return left, err
	}
	for _, bd := range bindings {
		if err := b.abandonBinding(ctx, *r, bd.ID, note); err != nil {
			return left, err
		}
	}
	others, err := b.liveOperations(ctx, r.ID)
	if err != nil {
		return left, err
	}
	for _, o := range others {
		if err := b.end(ctx, &o, failed, note); err != nil {
			return left, err
		}
	}
	now := b.Clock.Now()
	if r.ReadyAt > 0 && r.StoppedAt == 0 {
		r.StoppedAt = now.UnixMicro()
		if err := b.Meter.Stop(ctx, r.ID, now); err != nil {
			return left, err
		}
	}
	r.State, r.Note, r.GoneAt = Gone, note, now.UnixMicro()
	b.changed(ctx, *r, bindingRow{})
	return left, b.saveInstance(ctx, *r)
}

// abandonBinding takes a binding for gone, and lets a delete of its instance that waited for it go on.
func (b *Broker) abandonBinding(ctx context.Context, r instanceRow, id, note string) error {
	bd, found, err := b.findBinding(ctx, "id = ?", id)
	if err != nil || !found {
		return err
	}
	bd.State, bd.Note, bd.GoneAt, bd.Seed, bd.Credentials = Gone, note, b.Clock.Now().UnixMicro(), "", ""
	if err := b.saveBinding(ctx, bd); err != nil {
		return err
	}
	b.changed(ctx, r, bd)
	if op, waits, err := b.deleting(ctx, r); err != nil || !waits {
		return err
	} else if err := b.urge(ctx, op); err != nil {
		return err
	}
	return b.hasten(ctx, r.ID)
}
