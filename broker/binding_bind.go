package broker

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"slices"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Bind accepts a binding, or finds the same one again.
func (b *Broker) Bind(ctx context.Context, who identity.Principal, o BindOrder) (bd Binding, fresh bool, err error) {
	r, err := b.seenInstance(ctx, who, o.Instance)
	if err == nil {
		err = may(who, identity.InstanceWrite, r.scope(), noInstance(o.Instance))
	}
	if err != nil {
		return bd, false, err
	}
	if err := b.inherits(ctx, r, &o); err != nil {
		return bd, false, err
	}
	appName, err := b.appName(ctx, r, o.App)
	if err != nil {
		return bd, false, err
	}
	if o.Params, err = b.bindable(ctx, r, o); err != nil {
		if bd, found := b.boundBefore(ctx, r, o, err); found {
			return bd, false, nil
		}
		return bd, false, err
	}
	row := bindingRow{
		ID: ids.New("bnd"), Instance: r.ID, Org: r.Org, Project: r.Project, App: o.App, AppName: appName, Alias: o.Alias, State: Creating,
		Platform: o.Platform, PlatformBinding: o.PlatformBinding, Predecessor: o.Predecessor, CreatedAt: b.Clock.Now().UnixMicro(),
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if r, err = b.take(ctx, r.ID); err != nil {
			return err
		}
		same, found, err := b.sameBinding(ctx, r, o)
		if err != nil || found {
			row = same
			return err
		}
		fresh = true
		return b.acceptBinding(ctx, who, r, &row, o.Params)
	})
	if err != nil {
		return bd, false, err
	}
	bd, err = b.openedBinding(ctx, row, r)
	return bd, fresh, err
}

// boundBefore finds what a platform bound in the same way when that was still lawful: the same order again is no new one, whatever has become of
// the instance's plan meanwhile.
func (b *Broker) boundBefore(ctx context.Context, r instanceRow, o BindOrder, refusal error) (bd Binding, found bool) {
	if o.PlatformBinding == "" || fault.Of(refusal).Code == asyncCode {
		return bd, false
	}
	row, found, err := b.sameBinding(ctx, r, o)
	if err != nil || !found {
		return bd, false
	}
	bd, err = b.openedBinding(ctx, row, r)
	return bd, err == nil
}

func (b *Broker) appName(ctx context.Context, r instanceRow, app string) (string, error) {
	if app == "" {
		return "", nil
	}
	t, err := b.Tenants.Tenancy(ctx, identity.Scope{Org: r.Org, Project: r.Project, App: app})
	if fault.KindOf(err) == fault.NotFound && err != nil {
		err = fault.NotFound.Errorf("There is no app %q.", app)
	}
	return t.AppName, err
}

// bindable checks what the plan says of this order and gives its parameters as an object, of a refused order too.
func (b *Broker) bindable(ctx context.Context, r instanceRow, o BindOrder) (json.RawMessage, error) {
	params, err := asObject(o.Params)
	if err != nil {
		return nil, err
	}
	_, plan, err := b.Plan(ctx, r.PlanID)
	if err != nil {
		return params, err
	}
	if !plan.Bindable {
		return params, fault.Invalid.Errorf("The plan %s:%s cannot be bound.", r.Offering, r.Plan)
	}
	if o.Predecessor == "" { // else they were checked when the predecessor was ordered
		if _, err = b.fitting(plan.Schemas.Bind, params); err != nil {
			return params, err
		}
	}
	switch {
	case o.Platform != "" && plan.AppOnly && o.App == "" && o.Predecessor == "":
		return params, fault.Unprocessable.Errorf("This plan is bound to apps only: name one in bind_resource.app_guid.").WithCode("RequiresApp")
	case o.Platform != "" && plan.Async && !o.AcceptsAsync:
		return params, asyncRequired()
	case o.Predecessor != "" && !plan.Rotatable:
		return params, fault.Unprocessable.Errorf("The bindings of %s:%s cannot be rotated.", r.Offering, r.Plan)
	}
	return params, nil
}

// sameBinding finds what was asked for before: a platform's by its id there, a person's by instance, app and alias.
func (b *Broker) sameBinding(ctx context.Context, r instanceRow, o BindOrder) (row bindingRow, found bool, err error) {
	if o.PlatformBinding != "" {
		row, found, err = b.findBinding(ctx, "instance = ? AND platform_binding = ? AND state <> 'gone'", r.ID, o.PlatformBinding)
	} else if o.Predecessor != "" {
		row, found, err = b.findBinding(ctx, "instance = ? AND predecessor = ? AND state = 'creating'", r.ID, o.Predecessor)
	} else if o.App != "" {
		row, found, err = b.findBinding(ctx, "instance = ? AND app = ? AND state IN ('creating', 'ready') AND (? = '' OR alias = ?)", r.ID, o.App, o.Alias, o.Alias)
	}
	if err != nil || !found {
		return row, false, err
	}
	params, err := b.Box.Open(ctx, row.Org, "binding/"+row.ID+"/params", row.Params)
	if err != nil {
		return row, true, err
	}
	switch {
	case row.State == Deleting || row.State == Failed:
		return row, true, fault.Busy.Errorf("The binding is being deleted. Try again when that is done.").WithCode("ConcurrencyError")
	case !equalJSON(params, o.Params) || row.App != o.App || row.Predecessor != o.Predecessor && o.PlatformBinding != "":
		return row, true, fault.Conflict.Errorf("There is such a binding already, and it was ordered differently.")
	}
	return row, true, nil
}

// acceptBinding is the one transaction of a new binding. The seed of its secret is committed with the intent.
func (b *Broker) acceptBinding(ctx context.Context, who identity.Principal, r instanceRow, row *bindingRow, params json.RawMessage) error {
	if err := b.stays(ctx, r, true); err != nil {
		return err
	}
	if err := r.takesBindings(); err != nil {
		return err
	}
	if err := b.succeed(ctx, row); err != nil {
		return err
	}
	aliases, err := b.aliases(ctx, row.App)
	if err != nil {
		return err
	}
	taken := func(a string) bool { return row.App != "" && slices.Contains(aliases, a) }
	if row.Alias, err = aliasFor(row.Alias, catalog.Kind(r.Kind), r.Name, taken); err != nil {
		return err
	}
	seed := make([]byte, 32)
	_, _ = rand.Read(seed) // never fails: the runtime ends the process instead
	if row.Seed, err = b.Box.Seal(ctx, r.Org, "binding/"+row.ID+"/seed", seed); err != nil {
		return err
	}
	if row.Params, err = b.Box.Seal(ctx, r.Org, "binding/"+row.ID+"/params", params); err != nil {
		return err
	}
	verb := verbBind
	if row.Predecessor != "" {
		verb = verbRotate
	}
	op := newOperation(r.ID, row.ID, verb)
	row.Operation = op.ID
	fresh, err := b.insertBinding(ctx, row)
	if err != nil {
		return err
	}
	if !fresh {
		return fault.Conflict.Errorf("The app has a binding with the alias %s already.", row.Alias).WithHint("Choose another with --as.")
	}
	if err := b.begin(ctx, op); err != nil {
		return err
	}
	b.changed(ctx, r, *row)
	return b.record(ctx, who, row.scope(), "binding.bind", "binding/"+row.ID, map[string]string{"instance": r.ID, "alias": row.Alias, "operation": op.ID})
}

// takesBindings says why an instance cannot be bound now.
func (r instanceRow) takesBindings() error {
	switch r.State {
	case Ready:
		return nil
	case Creating, Updating:
		return fault.Busy.Errorf("%s is still %s. Try again when it is ready.", r.Name, r.State).WithCode("ConcurrencyError")
	case Deleting, Failed:
		return fault.Busy.Errorf("%s is being deleted.", r.Name).WithCode("ConcurrencyError")
	case Gone:
		return noInstance(r.ID)
	}
	return fault.Refused.Errorf("%s is %s and takes no bindings now.", r.Name, r.State).WithHint("sutler info %s tells why; sutler resume %s ends it.", r.Name, r.Name)
}
