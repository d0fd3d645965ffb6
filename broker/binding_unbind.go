package broker

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Unbind accepts the end of a binding. The same again while it runs gives the same operation; one that is gone is fault.Gone.
func (b *Broker) Unbind(ctx context.Context, who identity.Principal, binding string) (Binding, error) {
	row, err := b.seenBinding(ctx, who, binding)
	if err == nil {
		err = may(who, identity.InstanceWrite, row.scope(), noBinding(binding))
	}
	if err != nil {
		return Binding{}, err
	}
	var r instanceRow
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if r, err = b.take(ctx, row.Instance); err != nil {
			return err
		}
		if row, _, err = b.findBinding(ctx, "id = ?", binding); err != nil {
			return err
		}
		if err := b.stays(ctx, r, true); err != nil { // a login that leaked is revoked without ending the move
			return err
		}
		return b.acceptUnbind(ctx, who, r, &row)
	})
	if err != nil {
		return Binding{}, err
	}
	return b.openedBinding(ctx, row, r)
}

func (b *Broker) acceptUnbind(ctx context.Context, who identity.Principal, r instanceRow, row *bindingRow) error {
	if row.State == Gone {
		return fault.Gone.Errorf("The binding is gone.")
	}
	before := row.Operation
	if err := b.startUnbind(ctx, r, row, true); err != nil || row.Operation == before {
		return err
	}
	return b.record(ctx, who, row.scope(), "binding.unbind", "binding/"+row.ID, map[string]string{"instance": r.ID, "operation": row.Operation})
}

// startUnbind sends a binding on its way out, once. shown makes that the binding's latest operation; a clean-up after a failure is not shown.
func (b *Broker) startUnbind(ctx context.Context, r instanceRow, row *bindingRow, shown bool) error {
	ops, err := b.liveOperations(ctx, r.ID)
	if err != nil {
		return err
	}
	var op operationRow
	for _, o := range ops {
		if o.Verb == verbUnbind && o.Binding == row.ID {
			op = o
		}
	}
	if row.State == Creating {
		if err := b.giveBack(ctx, row); err != nil {
			return err
		}
	}
	if op.NextAt > wall() && row.State != Deleting { // it was to end later: now is the time
		op.NextAt, op.StartedAt = 0, wall()
		if err := b.saveOperation(ctx, op); err != nil {
			return err
		}
	}
	if op.ID == "" {
		if err := b.replace(ctx, r.ID, row.ID); err != nil {
			return err
		}
		op = newOperation(r.ID, row.ID, verbUnbind)
		if err := b.begin(ctx, op); err != nil {
			return err
		}
	}
	if shown {
		row.Operation = op.ID
		if row.State.May(Deleting) {
			row.State = Deleting
		}
	}
	b.changed(ctx, r, *row)
	return b.saveBinding(ctx, *row)
}
