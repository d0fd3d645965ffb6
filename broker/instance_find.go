package broker

import (
	"context"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// retention is how long a platform can still ask how the delete of a thing ended.
const retention = 7 * 24 * time.Hour

// Instance finds one by id, or by name within a project ("" project: by id only). One that is gone is found by its id alone.
func (b *Broker) Instance(ctx context.Context, who identity.Principal, project, ref string) (Instance, error) {
	r, found, err := b.findInstance(ctx, "id = ?", ref)
	if err == nil && !found && project != "" {
		r, found, err = b.findInstance(ctx, "project = ? AND name = ? AND state <> 'gone'", project, ref)
	}
	if err != nil {
		return Instance{}, err
	}
	if !found || project != "" && r.Project != project || !identity.Can(who, identity.InstanceRead, r.scope()) {
		return Instance{}, noInstance(ref)
	}
	i, err := b.shown(ctx, r)
	if err != nil {
		return i, err
	}
	if i.Params, err = b.params(ctx, r); err != nil && fault.KindOf(err) == fault.Internal { // an operator must see the instance to mend it
		b.Log.Warn("an instance's parameters cannot be opened", "instance", r.ID, "err", err)
		i.Health, i.HealthNote, err = Degraded, strings.TrimSpace(i.HealthNote+" "+unreadableParams), nil
	}
	return i, err
}

// unreadableParams is what is said of an instance whose sealed parameters do not open.
const unreadableParams = "Its parameters cannot be opened with the market's keys: look whether master key and store belong together."

// InstanceOf finds a platform's instance by the platform's id, gone ones within the retention time included; newest first when the id was used again.
func (b *Broker) InstanceOf(ctx context.Context, who identity.Principal, platform, platformID string) (Instance, error) {
	r, found, err := b.findInstance(ctx, "platform <> '' AND platform = ? AND platform_instance = ? AND (gone_at = 0 OR gone_at > ?) ORDER BY CASE WHEN state = 'gone' THEN 1 ELSE 0 END, created_at DESC, id DESC",
		platform, platformID, b.Clock.Now().Add(-retention).UnixMicro())
	if err != nil {
		return Instance{}, err
	}
	foreign := who.Kind == identity.Platform && who.ID != platform
	if !found || foreign || !identity.Can(who, identity.InstanceRead, r.scope()) {
		return Instance{}, noInstance(platformID)
	}
	return b.opened(ctx, r)
}

// OperationOf gives an operation of a platform's instance, "" being its latest one. The instance is found as InstanceOf finds it, and read with its
// latest operation in one go since platforms ask again and again. An older operation is told as it ended, one of a former life under the same id
// too; fault.Invalid when there never was such an operation of this instance.
func (b *Broker) OperationOf(ctx context.Context, who identity.Principal, platformID, operation string) (Operation, error) {
	r, found, err := b.latestOf(ctx, who.ID, platformID, b.Clock.Now().Add(-retention).UnixMicro())
	if err != nil {
		return Operation{}, err
	}
	scope := identity.Scope{Org: r.Org, Project: r.Project}
	if !found || who.Kind != identity.Platform || !identity.Can(who, identity.InstanceRead, scope) {
		return Operation{}, noInstance(platformID)
	}
	if operation == "" || operation == r.Operation.ID {
		return r.Operation.view(), nil
	}
	return b.formerOf(ctx, who.ID, platformID, "", operation)
}

// formerOf gives an operation of a platform's instance or binding that is not its latest.
func (b *Broker) formerOf(ctx context.Context, platform, platformInstance, platformBinding, operation string) (Operation, error) {
	op, found, err := b.operationFor(ctx, operation, platform, platformInstance, platformBinding)
	if err == nil && !found {
		err = fault.Invalid.Errorf("There never was an operation %q here.", operation)
	}
	return op.view(), err
}

// Instances lists the live instances of a scope, newest first. An empty scope lists all that who may see.
func (b *Broker) Instances(ctx context.Context, who identity.Principal, s identity.Scope) ([]Instance, error) {
	var orgs []string
	if !identity.Can(who, identity.InstanceRead, identity.Scope{}) {
		orgs = []string{""}
		for _, g := range who.Grants {
			orgs = append(orgs, g.Scope.Org)
		}
	}
	rows, err := b.listInstances(ctx, s, orgs)
	if err != nil {
		return nil, err
	}
	var ops []string
	list := make([]Instance, 0, len(rows))
	for _, r := range rows {
		if identity.Can(who, identity.InstanceRead, r.scope()) {
			list = append(list, r.view())
			ops = append(ops, r.Operation)
		}
	}
	latest, err := b.operationsOf(ctx, ops)
	for i := range list {
		list[i].Operation = latest[ops[i]]
	}
	return list, err
}

// opened is the row as callers see it, with its parameters and its latest operation.
func (b *Broker) opened(ctx context.Context, r instanceRow) (Instance, error) {
	i, err := b.shown(ctx, r)
	if err == nil {
		i.Params, err = b.params(ctx, r)
	}
	return i, err
}

// shown is opened without the parameters.
func (b *Broker) shown(ctx context.Context, r instanceRow) (Instance, error) {
	i := r.view()
	op, _, err := b.findOperation(ctx, r.Operation)
	if err != nil {
		return i, err
	}
	i.Operation = op.view()
	reasons, err := b.suspensionsOf(ctx, r.ID)
	if err != nil {
		return i, err
	}
	for _, s := range reasons {
		i.Suspensions = append(i.Suspensions, Suspension{Reason: s.Reason, Why: s.Why, Since: instant(s.Since)})
	}
	return i, nil
}

// params opens an instance's parameters. When they do not open it is fault.Internal; a store that does not answer is what it is.
func (b *Broker) params(ctx context.Context, r instanceRow) ([]byte, error) {
	plain, err := b.Box.Open(ctx, r.Org, "instance/"+r.ID+"/params", r.Params)
	if err != nil && fault.KindOf(err) != fault.Unavailable {
		return nil, fault.Internal.Wrap(err, "The parameters of %s cannot be opened.", r.Name)
	}
	return plain, err
}

// HadPlan tells whether an instance was on a plan once, or was to be put on it: a platform may not have heard how that update ended. It asks no
// permission: whoever knows the instance got it from a method that did.
func (b *Broker) HadPlan(ctx context.Context, instance, plan string) (bool, error) {
	return b.hadPlan(ctx, instance, plan)
}

// WhereOf tells in which project a platform's instance of this id lives, gone ones included. It is the platform's own knowledge: no role is asked.
func (b *Broker) WhereOf(ctx context.Context, platform identity.Principal, platformID string) (identity.Scope, bool, error) {
	if platform.Kind != identity.Platform {
		return identity.Scope{}, false, nil
	}
	r, found, err := b.findInstance(ctx, "platform <> '' AND platform = ? AND platform_instance = ? ORDER BY CASE WHEN state = 'gone' THEN 1 ELSE 0 END, created_at DESC, id DESC", platform.ID, platformID)
	return r.scope(), found, err
}
