package broker

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Market lists what who may buy, in the configuration's order.
func (b *Broker) Market(ctx context.Context, who identity.Principal) ([]Offer, error) {
	if !identity.Can(who, identity.MarketRead, identity.Scope{}) {
		return nil, fault.Forbidden.Errorf("You may not see the marketplace.")
	}
	v, err := b.viewer(ctx, who)
	if err != nil {
		return nil, err
	}
	var offers []Offer
	for _, o := range b.shelf.Load().catalog.Offerings() {
		o, ok := v.sees(o)
		if !ok {
			continue
		}
		offer := Offer{Offering: o, Status: providers.Down}
		if p, ok := b.Providers.Get(o.Provider); ok {
			offer.Status, offer.Note = p.Status(), p.Why()
		}
		offers = append(offers, offer)
	}
	return offers, nil
}

// Edition names the catalog as who sees it: as long as it stays the same, so does what Market lists (but for the providers' status).
func (b *Broker) Edition(ctx context.Context, who identity.Principal) (string, error) {
	if !identity.Can(who, identity.MarketRead, identity.Scope{}) {
		return "", fault.Forbidden.Errorf("You may not see the marketplace.")
	}
	v, err := b.viewer(ctx, who)
	return fmt.Sprintf("%s %t %q %q", b.shelf.Load().edition, v.all, v.orgs, v.platforms), err
}

// Choose picks offering and plan for a need among what who may buy and what is up, and says why.
func (b *Broker) Choose(ctx context.Context, who identity.Principal, need catalog.Need) (catalog.Choice, error) {
	offers, err := b.Market(ctx, who)
	if err != nil {
		return catalog.Choice{}, err
	}
	used, err := b.used(ctx)
	if err != nil {
		return catalog.Choice{}, err
	}
	need.Currency = cmp.Or(need.Currency, b.Currency)
	candidates := make([]catalog.Candidate, 0, len(offers))
	for _, o := range offers {
		candidates = append(candidates, catalog.Candidate{
			Offering: o.Offering, Open: o.Status == providers.Up, Cordoned: o.Status == providers.Cordoned, Why: cmp.Or(o.Note, string(o.Status)), Used: used,
		})
	}
	return catalog.Choose(candidates, need)
}

// Plan finds a plan by id with its offering (which then has this plan alone), ones that are no longer sold included. It asks no permission.
func (b *Broker) Plan(ctx context.Context, id string) (catalog.Offering, catalog.Plan, error) {
	o, p, found, err := b.sold(ctx, id)
	if err == nil && !found {
		err = noPlan(id)
	}
	return o, p, err
}

func noPlan(ref string) error { return fault.NotFound.Errorf("There is no plan %q.", ref) }

// PlanNow is Plan for those who only look: what is on sale is answered from memory.
func (b *Broker) PlanNow(ctx context.Context, id string) (catalog.Plan, error) {
	if p, ok := b.shelf.Load().plans[id]; ok {
		return p, nil
	}
	_, p, err := b.Plan(ctx, id)
	return p, err
}

// viewer is what visibility is decided by: ids and names of orgs and platforms. A viewer who runs the market sees everything.
type viewer struct {
	all             bool
	orgs, platforms []string
}

func (b *Broker) viewer(ctx context.Context, who identity.Principal) (viewer, error) {
	v := viewer{all: who.Kind == identity.System}
	if who.Kind == identity.Platform {
		v.platforms = []string{who.ID, who.Name}
	}
	for _, g := range who.Grants {
		if g.Scope.Org == "" {
			v.all = v.all || g.Role == identity.Operator
			continue
		}
		if err := b.addOrg(ctx, &v, g.Scope.Org); err != nil {
			return v, err
		}
	}
	return v, nil
}

// addOrg lets the configuration name an org by its name as well as by its id.
func (b *Broker) addOrg(ctx context.Context, v *viewer, org string) error {
	if slices.Contains(v.orgs, org) {
		return nil
	}
	t, err := b.Tenants.Tenancy(ctx, identity.Scope{Org: org})
	if err != nil {
		return err
	}
	v.orgs = append(v.orgs, org, t.OrgName)
	return nil
}

// buyer is what an order's org sees, and its platform when it came through one.
func buyer(who identity.Principal, platform string, t identity.Tenancy) viewer {
	v := viewer{orgs: []string{t.Scope.Org, t.OrgName}}
	if platform != "" {
		v.platforms = []string{platform, who.Name}
	}
	return v
}

// sees gives the offering with the plans that are visible, and whether there are any.
func (v viewer) sees(o catalog.Offering) (catalog.Offering, bool) {
	if v.all {
		return o, true
	}
	if !v.in(o.Visibility) {
		return o, false
	}
	o.Plans = slices.DeleteFunc(slices.Clone(o.Plans), func(p catalog.Plan) bool { return !v.in(p.Visibility) })
	return o, len(o.Plans) > 0
}

// seesPlan finds the plan when it is visible; an empty ref is the first plan that is. Catalogs are long: it copies none.
func (v viewer) seesPlan(o catalog.Offering, ref string) (catalog.Plan, bool) {
	if !v.all && !v.in(o.Visibility) {
		return catalog.Plan{}, false
	}
	for n := range o.Plans {
		p := &o.Plans[n]
		if (ref == "" || p.ID == ref || p.Name == ref) && (v.all || v.in(p.Visibility)) {
			return *p, true
		}
	}
	return catalog.Plan{}, false
}

func (v viewer) in(w catalog.Visibility) bool {
	return w.Shows("", "") ||
		slices.ContainsFunc(v.orgs, func(org string) bool { return w.Shows(org, "") }) ||
		slices.ContainsFunc(v.platforms, func(p string) bool { return w.Shows("", p) })
}
