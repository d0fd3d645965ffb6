package broker

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Deprovision accepts a delete; its bindings go with it. The same delete again while it runs gives the same operation; one that is gone is fault.Gone.
// Charging ends here, whatever the provider does afterwards.
func (b *Broker) Deprovision(ctx context.Context, who identity.Principal, instance string) (Instance, error) {
	r, err := b.seenInstance(ctx, who, instance)
	if err == nil {
		err = may(who, identity.InstanceWrite, r.scope(), noInstance(instance))
	}
	if err != nil {
		return Instance{}, err
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if r, err = b.take(ctx, instance); err != nil {
			return err
		}
		if err := b.stays(ctx, r, false); err != nil {
			return err
		}
		return b.acceptDelete(ctx, who, &r)
	})
	if err != nil {
		return Instance{}, err
	}
	b.halt(r.ID)
	i, err := b.opened(ctx, r)
	if err != nil && i.Operation.ID != "" { // what is being deleted need not be readable
		b.Log.Warn("an instance that is deleted cannot be read", "instance", r.ID, "err", err)
		err = nil
	}
	return i, err
}

func (b *Broker) acceptDelete(ctx context.Context, who identity.Principal, r *instanceRow) error {
	if r.State == Gone {
		return fault.Gone.Errorf("The instance %s is gone.", r.Name)
	}
	op, cleaning, err := b.deleting(ctx, *r)
	if err != nil {
		return err
	}
	if cleaning && r.Operation == op.ID {
		return b.urge(ctx, op) // the same delete again
	}
	if r.State.May(Deleting) {
		if err := b.startDelete(ctx, r); err != nil {
			return err
		}
	}
	if !cleaning {
		op = newOperation(r.ID, "", verbDeprovision)
		if err := b.begin(ctx, op); err != nil {
			return err
		}
	}
	r.Operation = op.ID // a clean-up of the broker's own becomes the caller's delete
	if err := b.saveInstance(ctx, *r); err != nil {
		return err
	}
	b.changed(ctx, *r, bindingRow{})
	return b.record(ctx, who, r.scope(), "instance.deprovision", "instance/"+r.ID, map[string]string{"name": r.Name, "operation": op.ID})
}

// deleting finds the delete that is under way, if any.
func (b *Broker) deleting(ctx context.Context, r instanceRow) (operationRow, bool, error) {
	ops, err := b.liveOperations(ctx, r.ID)
	if err != nil {
		return operationRow{}, false, err
	}
	for _, op := range ops {
		if op.Verb == verbDeprovision {
			return op, true, nil
		}
	}
	return operationRow{}, false, nil
}

// urge lets a delete that was given up for now show as running again, and tries it at once.
func (b *Broker) urge(ctx context.Context, op operationRow) error {
	if op.State != failed {
		return nil
	}
	op.State, op.NextAt, op.EndedAt = inProgress, 0, 0
	if err := b.saveOperation(ctx, op); err != nil {
		return err
	}
	return b.wake(ctx, op.Instance)
}

// startDelete stops what runs, stops the meter, and sends the bindings ahead.
func (b *Broker) startDelete(ctx context.Context, r *instanceRow) error {
	if err := b.replace(ctx, r.ID, ""); err != nil {
		return err
	}
	if r.ReadyAt > 0 && r.StoppedAt == 0 {
		now := b.Clock.Now()
		r.StoppedAt = now.UnixMicro()
		if err := b.Meter.Stop(ctx, r.ID, now); err != nil {
			return err
		}
		if err := failpoint.Hit("broker", verbDeprovision, "stopped"); err != nil {
			return err
		}
	}
	r.State, r.Note = Deleting, "Being deleted."
	bindings, err := b.listBindings(ctx, "instance = ? AND state <> 'gone'", r.ID)
	if err != nil {
		return err
	}
	for _, bd := range bindings {
		if err := b.startUnbind(ctx, *r, &bd, true); err != nil {
			return err
		}
	}
	return nil
}

// halt gives up the provider call that this process has running for an instance, so that its delete need not wait for it.
func (b *Broker) halt(instance string) {
	if stop, ok := b.underway.Load(instance); ok {
		stop.(context.CancelFunc)()
	}
}
