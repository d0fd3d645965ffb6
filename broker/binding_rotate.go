package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Rotate gives a binding's app new credentials under the same alias. The old ones stay valid for the grace time and are then revoked. The same
// again while it runs gives the binding that is being made.
func (b *Broker) Rotate(ctx context.Context, who identity.Principal, binding string) (Binding, bool, error) {
	row, err := b.seenBinding(ctx, who, binding)
	if err != nil {
		return Binding{}, false, err
	}
	return b.Bind(ctx, who, BindOrder{Instance: row.Instance, Predecessor: row.ID, AcceptsAsync: true})
}

// inherits gives an order for a rotation what its predecessor has: app, alias and parameters.
func (b *Broker) inherits(ctx context.Context, r instanceRow, o *BindOrder) error {
	if o.Predecessor == "" {
		return nil
	}
	old, found, err := b.findBinding(ctx, "id = ? AND instance = ?", o.Predecessor, r.ID)
	if err != nil {
		return err
	}
	if !found {
		return fault.Invalid.Errorf("The binding to replace is not one of this instance.")
	}
	o.App, o.Alias = old.App, old.Alias
	o.Params, err = b.openJSON(ctx, old.Org, "binding/"+old.ID+"/params", old.Params)
	return err
}

// succeed lets a new binding take its predecessor's alias over. Until the new one is ready the old one stays what the app gets.
func (b *Broker) succeed(ctx context.Context, row *bindingRow) error {
	if row.Predecessor == "" {
		return nil
	}
	old, _, err := b.findBinding(ctx, "id = ?", row.Predecessor)
	switch {
	case err != nil:
		return err
	case old.State == Creating || old.State == Ready && old.Successor != "":
		return fault.Busy.Errorf("The binding to replace is being made or rotated. Try again when that is done.").WithCode("ConcurrencyError")
	case old.State != Ready:
		return fault.Unprocessable.Errorf("The binding to replace is %s; rotate the one that is in use.", old.State)
	}
	row.Alias, row.AppName = old.Alias, old.AppName
	old.Successor = row.ID
	if err := b.saveBinding(ctx, old); err != nil {
		return err
	}
	return failpoint.Hit("broker", verbRotate, "inherited")
}

// giveBack returns the alias to the predecessor of a binding that will never be ready.
func (b *Broker) giveBack(ctx context.Context, row *bindingRow) error {
	if row.Predecessor == "" {
		return nil
	}
	row.Successor = row.Predecessor
	if err := b.saveBinding(ctx, *row); err != nil {
		return err
	}
	old, _, err := b.findBinding(ctx, "id = ?", row.Predecessor)
	if err != nil || old.Successor != row.ID {
		return err
	}
	old.Successor = ""
	return b.saveBinding(ctx, old)
}

// expire sends the predecessor of a binding that has become ready to its end, after the grace time or when its own time is over; and the
// binding itself to its own, when its credentials have one.
func (b *Broker) expire(ctx context.Context, j *job) error {
	if j.binding.ExpiresAt > 0 {
		if err := b.endAt(ctx, j.instance.ID, j.binding.ID, j.binding.ExpiresAt); err != nil {
			return err
		}
	}
	if j.binding.Predecessor == "" {
		return nil
	}
	old, _, err := b.findBinding(ctx, "id = ?", j.binding.Predecessor)
	if err != nil || old.State != Ready {
		return err // somebody ended it meanwhile
	}
	end := time.Now().Add(b.Grace).UnixMicro()
	scheduled := old.ExpiresAt > 0
	if !scheduled || end < old.ExpiresAt {
		old.ExpiresAt = end
	}
	old.State = Expiring
	if err := b.saveBinding(ctx, old); err != nil {
		return err
	}
	b.changed(ctx, j.instance, old)
	if err := b.endAt(ctx, j.instance.ID, old.ID, old.ExpiresAt); err != nil {
		return err
	}
	return failpoint.Hit("broker", verbRotate, "expiring")
}

// endAt makes the durable work that revokes a binding at an instant, or brings forward what is there.
func (b *Broker) endAt(ctx context.Context, instance, binding string, at int64) error {
	ops, err := b.liveOperations(ctx, instance)
	if err != nil {
		return err
	}
	for _, op := range ops {
		if op.Verb == verbUnbind && op.Binding == binding {
			op.NextAt, op.StartedAt = min(op.NextAt, at), min(op.StartedAt, at)
			return b.saveOperation(ctx, op)
		}
	}
	op := newOperation(instance, binding, verbUnbind)
	op.NextAt, op.StartedAt = at, at
	return b.begin(ctx, op)
}
