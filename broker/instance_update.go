package broker

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Newest asks for whatever maintenance version the plan has now.
const Newest = "newest"

// UpdateOrder asks for a change of an instance. What is empty stays as it is.
type UpdateOrder struct {
	Instance     string          // id
	Plan         string          // name or id of a plan of the same offering
	Params       json.RawMessage // each named parameter takes its new value; the others stay
	Maintenance  string          // the plan's version, or Newest
	Platform     string          // set when a platform asks
	AcceptsAsync bool
}

// change is an update worked out: what the instance shall be afterwards.
type change struct {
	plan        catalog.Plan
	params      json.RawMessage
	maintenance string
	admit       *catalog.Snapshot // what is bought, when that changes
}

// Update accepts a change. fresh tells whether there is something to do: the same change again while it runs gives the running operation, and
// one that has come about already gives none. Another change while one runs is fault.Busy.
func (b *Broker) Update(ctx context.Context, who identity.Principal, o UpdateOrder) (i Instance, fresh bool, err error) {
	r, err := b.seenInstance(ctx, who, o.Instance)
	if err == nil && !o.maintains(who) {
		err = may(who, identity.InstanceWrite, r.scope(), noInstance(o.Instance))
	}
	if err != nil {
		return i, false, err
	}
	if o.Params, err = asObject(o.Params); err != nil {
		return i, false, err
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if r, err = b.take(ctx, r.ID); err != nil {
			return err
		}
		if r.State == Gone {
			return noInstance(r.ID)
		}
		c, err := b.changeOf(ctx, who, r, o) // what is wrong with the request comes before what is wrong with the moment
		if err != nil {
			return err
		}
		if err := r.takesUpdates(); err != nil {
			return err
		}
		if err := b.stays(ctx, r, true); err != nil {
			return err
		}
		if err := b.roomier(ctx, r, c); err != nil {
			return err
		}
		fresh, err = b.acceptUpdate(ctx, who, &r, c)
		return err
	})
	if err != nil {
		return i, false, err
	}
	i, err = b.opened(ctx, r)
	return i, fresh, err
}

// maintains tells whether an operator asks for maintenance and nothing else, which is the market's own business.
func (o UpdateOrder) maintains(who identity.Principal) bool {
	return o.Maintenance == Newest && o.Plan == "" && o.Params == nil && identity.Can(who, identity.OperationManage, identity.Scope{})
}

// takesUpdates says why an instance cannot be changed now.
func (r instanceRow) takesUpdates() error {
	switch r.State {
	case Ready, Updating, Suspended: // of a suspended one, see roomier
		return nil
	case Creating:
		return fault.Busy.Errorf("%s is still being made. Try again when it is ready.", r.Name).WithCode("ConcurrencyError")
	case Deleting, Failed:
		return fault.Busy.Errorf("%s is being deleted.", r.Name).WithCode("ConcurrencyError")
	}
	return fault.Unprocessable.Errorf("%s is %s and cannot be changed now.", r.Name, r.State)
}

// changeOf works out what the instance would become, and refuses what its plan does not allow.
func (b *Broker) changeOf(ctx context.Context, who identity.Principal, r instanceRow, o UpdateOrder) (c change, err error) {
	offering, old, err := b.Plan(ctx, r.PlanID)
	if err != nil {
		return c, err
	}
	tenancy, err := b.Tenants.Tenancy(ctx, identity.Scope{Org: r.Org, Project: r.Project, App: r.App})
	if err != nil {
		return c, err
	}
	if c.plan, err = b.targetPlan(buyer(who, o.Platform, tenancy), r, old, o.Plan); err != nil {
		return c, err
	}
	if o.Plan != "" && !knownBy(who, o.Plan, c.plan.ID) {
		return c, noPlan(o.Plan)
	}
	if _, err := b.fitting(c.plan.Schemas.Update, o.Params); err != nil {
		return c, err
	}
	had, err := b.openJSON(ctx, r.Org, "instance/"+r.ID+"/params", r.Params)
	if err != nil {
		return c, err
	}
	if c.params, err = laid(had, o.Params); err != nil {
		return c, err
	}
	if err := b.carries(old, c.plan, c.params); err != nil {
		return c, err
	}
	if o.Platform != "" && (old.Async || c.plan.Async) && !o.AcceptsAsync {
		return c, asyncRequired()
	}
	if c.plan.ID != old.ID {
		bought := r
		bought.Plan, bought.PlanID = c.plan.Name, c.plan.ID
		s := snapshot(bought, tenancy, offering.Category)
		c.admit = &s
	}
	if o.Platform != "" && o.Maintenance == Newest {
		return c, maintenanceConflict(Newest) // our own word, not a version of the protocol
	}
	c.maintenance, err = maintained(r, c.plan, o.Maintenance)
	return c, err
}

// targetPlan finds the plan to change to among those that may be bought and that the old plan leads to.
func (b *Broker) targetPlan(v viewer, r instanceRow, old catalog.Plan, ref string) (catalog.Plan, error) {
	if ref == "" || ref == old.ID || ref == old.Name {
		return old, nil
	}
	offering, err := b.shelf.Load().catalog.Offering(r.OfferingID)
	if err != nil {
		return old, fault.Unprocessable.Errorf("%s is not sold any more, so its plan cannot be changed.", r.Offering)
	}
	seen, ok := v.sees(offering)
	plan, err := seen.Plan(ref)
	switch {
	case !ok:
		return old, fault.Unprocessable.Errorf("%s is not sold to you any more, so its plan cannot be changed.", r.Offering)
	case err != nil:
		return old, err
	case !old.Updatable:
		return old, fault.Unprocessable.Errorf("The plan of %s cannot be changed.", r.Name).WithHint("Make another instance and move over.")
	case len(old.Targets) > 0 && !slices.Contains(old.Targets, plan.Name):
		return old, fault.Unprocessable.Errorf("%s:%s cannot be changed to %s, only to %v.", r.Offering, old.Name, plan.Name, old.Targets)
	}
	return plan, nil
}

// carries refuses a plan that does not take the parameters which the instance keeps: neither in an order nor as an update. Where the schemas are
// those of the old plan, what was lawful there is lawful here.
func (b *Broker) carries(old, plan catalog.Plan, params json.RawMessage) error {
	if plan.ID == old.ID || bytes.Equal(plan.Schemas.Create, old.Schemas.Create) && bytes.Equal(plan.Schemas.Update, old.Schemas.Update) {
		return nil
	}
	_, wrong := b.fitting(plan.Schemas.Create, params)
	if wrong == nil {
		return nil
	}
	if _, err := b.fitting(plan.Schemas.Update, params); err == nil {
		return nil
	}
	f := fault.Of(wrong)
	if f.Kind != fault.Invalid || len(f.Fields) == 0 {
		return wrong
	}
	return fault.Invalid.Errorf("The plan %s does not take the parameters that the instance has: %s %s.", plan.Name, cmp.Or(f.Fields[0].Path, "the whole of them"), f.Fields[0].Reason).
		WithFields(f.Fields...).WithHint("Give other values for them in the same request, or stay on the plan %s.", old.Name)
}

// maintained gives the version that the instance will be on.
func maintained(r instanceRow, plan catalog.Plan, wish string) (string, error) {
	has := version(plan)
	switch {
	case wish == Newest || wish != "" && wish == has:
		return has, nil
	case wish != "":
		return "", maintenanceConflict(wish)
	case plan.ID != r.PlanID:
		return has, nil
	}
	return r.Maintenance, nil
}

// version is the maintenance version of a plan, empty when it has none.
func version(p catalog.Plan) string {
	if p.Maintenance == nil {
		return ""
	}
	return p.Maintenance.Version
}

// acceptUpdate is the transaction of a change; it answers false when there is nothing to do or when the very change is being made.
func (b *Broker) acceptUpdate(ctx context.Context, who identity.Principal, r *instanceRow, c change) (bool, error) {
	if r.State == Updating {
		return false, b.sameUpdate(ctx, *r, c)
	}
	had, err := b.openJSON(ctx, r.Org, "instance/"+r.ID+"/params", r.Params)
	if err != nil {
		return false, err
	}
	if c.plan.ID == r.PlanID && c.maintenance == r.Maintenance && equalJSON(had, c.params) {
		return false, nil
	}
	p, err := b.open(r.Provider)
	if err != nil {
		return false, err
	}
	if !p.Can(providers.Updates) {
		return false, fault.Unprocessable.Errorf("%s cannot be changed: its provider has no way to %s.", r.Name, providers.Updates)
	}
	if c.admit != nil {
		if err := b.room(ctx, *r, c.plan); err != nil {
			return false, err
		}
		if err := b.Gate.Admit(ctx, *c.admit); err != nil {
			return false, err
		}
	}
	op := newOperation(r.ID, "", verbUpdate)
	op.Plan, op.Former, op.Maintenance = c.plan.ID, r.PlanID, c.maintenance
	if op.Params, err = b.Box.Seal(ctx, r.Org, "operation/"+op.ID+"/params", c.params); err != nil {
		return false, err
	}
	if err := b.begin(ctx, op); err != nil {
		return false, err
	}
	r.State, r.Note, r.Operation = Updating, "Being updated.", op.ID
	if err := b.saveInstance(ctx, *r); err != nil {
		return false, err
	}
	b.changed(ctx, *r, bindingRow{})
	return true, b.record(ctx, who, r.scope(), "instance.update", "instance/"+r.ID,
		map[string]string{"name": r.Name, "from": r.Plan, "plan": c.plan.Name, "maintenance": c.maintenance, "operation": op.ID})
}

// sameUpdate answers nil when the change that is being made is this one.
func (b *Broker) sameUpdate(ctx context.Context, r instanceRow, c change) error {
	op, _, err := b.findOperation(ctx, r.Operation)
	if err != nil {
		return err
	}
	params, err := b.openJSON(ctx, r.Org, "operation/"+op.ID+"/params", op.Params)
	if err != nil {
		return err
	}
	if op.Plan != c.plan.ID || op.Maintenance != c.maintenance || !equalJSON(params, c.params) {
		return fault.Busy.Errorf("%s is being updated already, in another way. Try again when that is done.", r.Name).WithCode("ConcurrencyError")
	}
	return nil
}
