package broker

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
)

// Binding finds one by id.
func (b *Broker) Binding(ctx context.Context, who identity.Principal, id string) (Binding, error) {
	row, err := b.seenBinding(ctx, who, id)
	if err != nil {
		return Binding{}, err
	}
	r, _, err := b.findInstance(ctx, "id = ?", row.Instance)
	if err != nil {
		return Binding{}, err
	}
	return b.openedBinding(ctx, row, r)
}

// BindingOf finds a platform's binding of an instance by the platform's id, gone ones within the retention time included.
func (b *Broker) BindingOf(ctx context.Context, who identity.Principal, instance, platformID string) (Binding, error) {
	row, found, err := b.findBinding(ctx, "instance = ? AND platform_binding <> '' AND platform_binding = ? AND (gone_at = 0 OR gone_at > ?) ORDER BY CASE WHEN state = 'gone' THEN 1 ELSE 0 END, created_at DESC, id DESC",
		instance, platformID, b.Clock.Now().Add(-retention).UnixMicro())
	if err != nil {
		return Binding{}, err
	}
	if !found || !identity.Can(who, identity.InstanceRead, row.scope()) {
		return Binding{}, noBinding(platformID)
	}
	r, _, err := b.findInstance(ctx, "id = ?", row.Instance)
	if err != nil {
		return Binding{}, err
	}
	return b.openedBinding(ctx, row, r)
}

// OperationOfBinding gives an operation of a platform's binding as OperationOf does for an instance; instance and platformID are the platform's ids.
func (b *Broker) OperationOfBinding(ctx context.Context, who identity.Principal, instance, platformID, operation string) (Operation, error) {
	i, err := b.InstanceOf(ctx, who, who.ID, instance)
	if err != nil {
		return Operation{}, err
	}
	bd, err := b.BindingOf(ctx, who, i.ID, platformID)
	if err != nil || operation == "" || operation == bd.Operation.ID {
		return bd.Operation, err
	}
	return b.formerOf(ctx, who.ID, instance, platformID, operation)
}

// Bindings lists the live bindings of an instance, an app or a project (whichever of the three is given), in the order of their making.
func (b *Broker) Bindings(ctx context.Context, who identity.Principal, instance, app, project string) ([]Binding, error) {
	where, arg := "project = ?", project
	switch {
	case instance != "":
		where, arg = "instance = ?", instance
	case app != "":
		where, arg = "app = ?", app
	}
	rows, err := b.listBindings(ctx, where+" AND state <> 'gone'", arg)
	if err != nil {
		return nil, err
	}
	list := make([]Binding, 0, len(rows))
	named := map[string]instanceRow{}
	for _, row := range rows {
		if !identity.Can(who, identity.InstanceRead, row.scope()) {
			continue
		}
		r, ok := named[row.Instance]
		if !ok {
			if r, _, err = b.findInstance(ctx, "id = ?", row.Instance); err != nil {
				return nil, err
			}
			named[row.Instance] = r
		}
		bd, err := b.openedBinding(ctx, row, r)
		if err != nil {
			return nil, err
		}
		list = append(list, bd)
	}
	return list, nil
}

// openedBinding is the row as callers see it, with its parameters, its latest operation and its instance's name.
func (b *Broker) openedBinding(ctx context.Context, row bindingRow, r instanceRow) (Binding, error) {
	bd := row.view()
	bd.InstanceName = r.Name
	op, _, err := b.findOperation(ctx, row.Operation)
	if err != nil {
		return bd, err
	}
	bd.Operation = op.view()
	bd.Params, err = b.Box.Open(ctx, row.Org, "binding/"+row.ID+"/params", row.Params)
	return bd, err
}
