package broker

import (
	"context"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Provision accepts an order, or finds the same one again: fresh tells which. A different order for the same platform id or name is fault.Conflict.
func (b *Broker) Provision(ctx context.Context, who identity.Principal, o ProvisionOrder) (i Instance, fresh bool, err error) {
	scope := identity.Scope{Org: o.Org, Project: o.Project, App: o.App}
	if err := may(who, identity.InstanceWrite, scope, noProject(o.Project)); err != nil {
		return i, false, err
	}
	if who.Kind == identity.Platform && o.Platform != who.ID {
		return i, false, fault.Forbidden.Errorf("A platform orders under its own name only.")
	}
	tenancy, err := b.Tenants.Tenancy(ctx, scope)
	if err != nil {
		return i, false, err
	}
	if o.Params, err = asObject(o.Params); err != nil {
		return i, false, err
	}
	i, err = b.provision(ctx, who, &o, tenancy)
	if err == nil {
		return i, true, nil
	}
	if same, found, differs := b.sameInstance(ctx, o, err); found { // most orders are new, so one that was sent before is looked for last
		return same, false, differs
	}
	return i, false, err
}

// provision accepts a new order, or tells why there can be none; the order has ids for names afterwards.
func (b *Broker) provision(ctx context.Context, who identity.Principal, o *ProvisionOrder, tenancy identity.Tenancy) (i Instance, err error) {
	offering, plan, err := b.ordered(ctx, who, *o, tenancy)
	if err != nil {
		return i, err
	}
	o.Offering, o.Plan = offering.ID, plan.ID
	if o.Params, err = b.fitting(plan.Schemas.Create, o.Params); err != nil {
		return i, err
	}
	if err := o.suits(plan); err != nil {
		return i, err
	}
	row, op := b.newInstance(*o, offering, plan), operationRow{}
	if _, err = b.open(offering.Provider); err != nil {
		return i, err
	}
	order := snapshot(row, tenancy, offering.Category)
	err = b.DB.Tx(ctx, func(ctx context.Context) (err error) {
		op, err = b.acceptInstance(ctx, who, &row, *o, order, plan)
		return err
	})
	i = row.view()
	i.Operation, i.Params = op.view(), o.Params
	return i, err
}

// suits tells why a platform cannot order a plan in this way.
func (o ProvisionOrder) suits(plan catalog.Plan) error {
	if o.Platform != "" && plan.Async && !o.AcceptsAsync {
		return asyncRequired()
	}
	if o.Maintenance != "" && o.Maintenance != version(plan) {
		return maintenanceConflict(o.Maintenance)
	}
	return nil
}

// ordered finds offering and plan among what the order's org or platform may buy.
func (b *Broker) ordered(ctx context.Context, who identity.Principal, o ProvisionOrder, t identity.Tenancy) (catalog.Offering, catalog.Plan, error) {
	v := buyer(who, o.Platform, t)
	offering, err := b.shelf.Load().catalog.Offering(o.Offering)
	if err != nil {
		return offering, catalog.Plan{}, err
	}
	plan, ok := v.seesPlan(offering, o.Plan)
	if !ok {
		seen, ok := v.sees(offering)
		if !ok {
			return offering, plan, fault.NotFound.Errorf("There is no offering %q.", o.Offering).WithHint("sutler marketplace lists what is on sale.")
		}
		if plan, err = seen.Plan(o.Plan); err != nil {
			return offering, plan, err
		}
	}
	if !knownBy(who, o.Offering, offering.ID) || !knownBy(who, o.Plan, plan.ID) {
		return offering, plan, noPlan(o.Plan)
	}
	return offering, plan, nil
}

// knownBy tells whether who may call a thing of the catalog so: platforms know ids alone, people may use names and leave one out.
func knownBy(who identity.Principal, ref, id string) bool {
	return who.Kind != identity.Platform || ref == id
}

func asyncRequired() error {
	return fault.Unprocessable.Errorf("This plan takes longer than a request may: ask with accepts_incomplete=true.").WithCode(asyncCode)
}

func maintenanceConflict(version string) error {
	return fault.Unprocessable.Errorf("The plan has no maintenance version %q; read the catalog again.", version).WithCode(maintenanceCode)
}

// sameInstance finds what a platform ordered under the same id before: the same order again is no new one, whatever has become of the catalog and
// of the provider meanwhile. refusal says why there can be no new one; differs is nil when the order is the same.
func (b *Broker) sameInstance(ctx context.Context, o ProvisionOrder, refusal error) (i Instance, found bool, differs error) {
	if o.Platform == "" || fault.Of(refusal).Code == asyncCode {
		return Instance{}, false, nil
	}
	r, found, err := b.liveOf(ctx, o.Platform, o.PlatformInstance)
	if err != nil || !found {
		return Instance{}, false, err
	}
	i, err = b.opened(ctx, r)
	if err != nil {
		return i, true, err
	}
	same := r.OfferingID == o.Offering && r.PlanID == o.Plan && r.Org == o.Org && r.Project == o.Project && r.at(o.Place) && equalJSON(i.Params, o.Params)
	wrong := fault.KindOf(refusal) == fault.Invalid || fault.KindOf(refusal) == fault.NotFound // whatever is there already
	switch {
	case wrong && !same, fault.Of(refusal).Code == maintenanceCode && (!same || o.Maintenance != r.Maintenance):
		return i, false, nil
	case r.State == Deleting || r.State == Failed:
		return i, true, fault.Busy.Errorf("The instance is being deleted. Try again when that is done.").WithCode("ConcurrencyError")
	case !same:
		return i, true, fault.Conflict.Errorf("There is an instance with this id already, and it was ordered differently.")
	}
	return i, true, nil
}

func (b *Broker) newInstance(o ProvisionOrder, offering catalog.Offering, plan catalog.Plan) instanceRow {
	return instanceRow{
		ID: ids.New("ins"), Name: o.Name, Org: o.Org, Project: o.Project, App: o.App,
		Offering: offering.Name, OfferingID: offering.ID, Plan: plan.Name, PlanID: plan.ID, Kind: string(offering.Kind),
		Provider: offering.Provider, Region: offering.Region, State: Creating, Placement: o.Why,
		Platform: o.Platform, PlatformInstance: o.PlatformInstance, PlatformOrg: o.Place.Org, PlatformSpace: o.Place.Space, Maintenance: version(plan), CreatedAt: b.Clock.Now().UnixMicro(),
	}
}

// acceptInstance is the one transaction of a new instance: room, budget, row, operation, audit, wake-up.
func (b *Broker) acceptInstance(ctx context.Context, who identity.Principal, r *instanceRow, o ProvisionOrder, order catalog.Snapshot, plan catalog.Plan) (op operationRow, err error) {
	if err := b.room(ctx, *r, plan); err != nil {
		return op, err
	}
	if r.Params, err = b.Box.Seal(ctx, r.Org, "instance/"+r.ID+"/params", o.Params); err != nil {
		return op, err
	}
	op = newOperation(r.ID, "", verbProvision)
	op.Source = o.source
	r.Operation = op.ID
	if err := b.placeInstance(ctx, r, o.Name); err != nil {
		return op, err
	}
	order.InstanceName = r.Name
	if err := b.Gate.Admit(ctx, order); err != nil {
		return op, err
	}
	if err := b.begin(ctx, op); err != nil {
		return op, err
	}
	b.changed(ctx, *r, bindingRow{})
	return op, b.record(ctx, who, r.scope(), "instance.provision", "instance/"+r.ID,
		map[string]string{"name": r.Name, "offering": r.Offering, "plan": r.Plan, "operation": op.ID})
}

// tries is how many made-up names are tried. Of a kind there are 30 million in a project.
const tries = 5

// placeInstance adds the row under the name that was wished for, as far as that may be. A made-up name that is taken gives way to another one.
func (b *Broker) placeInstance(ctx context.Context, r *instanceRow, wish string) error {
	for range tries {
		var err error
		r.Name = wish
		if r.Name, err = b.nameFor(ctx, *r); err != nil {
			return err
		}
		if fresh, err := b.insertInstance(ctx, r); err != nil || fresh {
			return err
		}
		if r.Name == wish {
			break
		}
		if r.Platform == "" {
			continue
		}
		if _, found, err := b.liveOf(ctx, r.Platform, r.PlatformInstance); err != nil {
			return err
		} else if found {
			return fault.Conflict.Errorf("There is an instance with this id already.")
		}
	}
	return fault.Conflict.Errorf("The name %q is taken in this project.", r.Name).WithHint("Choose another name, or leave it out and one is made up.")
}

// liveOf finds the instance that a platform knows by an id.
func (b *Broker) liveOf(ctx context.Context, platform, platformID string) (instanceRow, bool, error) {
	return b.findInstance(ctx, "platform <> '' AND platform = ? AND platform_instance = ? AND state <> 'gone'", platform, platformID)
}

// room refuses an order that the provider has no place for.
func (b *Broker) room(ctx context.Context, r instanceRow, plan catalog.Plan) error {
	if plan.Capacity == 0 {
		return nil
	}
	n, err := b.usedOf(ctx, plan.ID)
	if err == nil && n >= plan.Capacity {
		err = fault.Refused.Errorf("%s:%s is full: %s takes %d of it.", r.Offering, r.Plan, r.Provider, plan.Capacity).WithHint("Choose another plan, provider or region.")
	}
	return err
}

// snapshot is what was sold to whom, for Gate and Meter.
func snapshot(r instanceRow, t identity.Tenancy, category string) catalog.Snapshot {
	return catalog.Snapshot{
		Account: t.Account, Org: r.Org, OrgName: t.OrgName, Project: r.Project, ProjectName: t.ProjectName, App: r.App, AppName: t.AppName,
		Instance: r.ID, InstanceName: r.Name, Provider: r.Provider, Region: r.Region, Offering: r.OfferingID, OfferingName: r.Offering,
		Plan: r.PlanID, PlanName: r.Plan, Kind: catalog.Kind(r.Kind), Category: category,
	}
}
