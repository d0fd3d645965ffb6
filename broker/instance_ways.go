package broker

import (
	"context"
	"slices"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/providers"
)

// Ways are what can be done with an instance beside binding and destroying it.
type Ways struct {
	Suspend bool           // its provider can refuse logins and keep the data
	BackUp  bool           // its provider can copy it, and the market has a place for copies
	Move    bool           // its provider can copy, count and suspend it, which takes it to another one
	Rotate  bool           // its plan's bindings can be given new credentials
	Plan    catalog.Plan   // what it is on, also when that is not sold any more
	Plans   []catalog.Plan // what its plan may be changed to, in the offering's order
}

// Ways tells what the instance's provider and plan allow. Whether it can be done at this moment depends on the instance's state besides, and is
// said when it is tried.
func (b *Broker) Ways(ctx context.Context, who identity.Principal, instance string) (Ways, error) {
	r, err := b.seenInstance(ctx, who, instance)
	if err != nil {
		return Ways{}, err
	}
	_, old, err := b.Plan(ctx, r.PlanID)
	if err != nil {
		return Ways{}, err
	}
	w := Ways{Plan: old, Rotate: old.Rotatable}
	p, ok := b.Providers.Get(r.Provider)
	if !ok {
		return w, nil
	}
	w.Suspend, w.BackUp = p.Can(providers.Suspends), p.Can(providers.BacksUp) && b.Vault != nil
	w.Move = r.Platform == "" && w.Suspend && p.Can(providers.BacksUp) && p.Can(providers.Counts)
	if !p.Can(providers.Updates) || !old.Updatable {
		return w, nil
	}
	w.Plans, err = b.plansFor(ctx, who, r, old)
	return w, err
}

// plansFor lists the other plans of an instance's offering that its org may buy and that the old plan leads to.
func (b *Broker) plansFor(ctx context.Context, who identity.Principal, r instanceRow, old catalog.Plan) ([]catalog.Plan, error) {
	tenancy, err := b.Tenants.Tenancy(ctx, r.scope())
	if err != nil {
		return nil, err
	}
	v := buyer(who, "", tenancy)
	offering, gone := b.shelf.Load().catalog.Offering(r.OfferingID)
	seen, shown := v.sees(offering)
	if gone != nil || !shown { // not sold any more, or not to them
		seen.Plans = nil
	}
	return slices.DeleteFunc(slices.Clone(seen.Plans), func(p catalog.Plan) bool {
		_, err := b.targetPlan(v, r, old, p.ID)
		return err != nil || p.ID == old.ID
	}), nil
}
