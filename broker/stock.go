package broker

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/providers"
)

// lapsedShown is how long a plan is shown after it went off sale.
const lapsedShown = 30 * 24 * time.Hour

// Stock is Market with what cannot be ordered: how far limited plans are taken, and the plans that went off sale within a month. An offering of
// which nothing is left has no plans but lapsed ones.
func (b *Broker) Stock(ctx context.Context, who identity.Principal) ([]Offer, error) {
	offers, err := b.Market(ctx, who)
	if err != nil {
		return nil, err
	}
	if err := b.addTaken(ctx, offers); err != nil {
		return nil, err
	}
	rows, err := b.listOffSale(ctx, b.Clock.Now().Add(-lapsedShown))
	if err != nil || len(rows) == 0 {
		return offers, err
	}
	v, err := b.viewer(ctx, who)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		offers = b.addLapsed(offers, v, r)
	}
	return offers, nil
}

// addTaken counts the instances of limited plans, when there are such.
func (b *Broker) addTaken(ctx context.Context, offers []Offer) error {
	limited := func(p catalog.Plan) bool { return p.Capacity > 0 }
	if !slices.ContainsFunc(offers, func(o Offer) bool { return slices.ContainsFunc(o.Plans, limited) }) {
		return nil
	}
	used, err := b.used(ctx)
	if err != nil {
		return err
	}
	for n := range offers {
		for _, p := range offers[n].Plans {
			if limited(p) {
				if offers[n].Taken == nil {
					offers[n].Taken = map[string]int{}
				}
				offers[n].Taken[p.ID] = used[p.ID]
			}
		}
	}
	return nil
}

// addLapsed puts a plan that is off sale to its offering, if who asks could have bought it.
func (b *Broker) addLapsed(offers []Offer, v viewer, r offSale) []Offer {
	o, visible := v.sees(r.offering)
	if !visible {
		return offers
	}
	l := Lapse{Plan: o.Plans[0], Since: r.since, Why: fmt.Sprintf("%s does not sell it any more.", o.Provider)}
	n := slices.IndexFunc(offers, func(x Offer) bool { return x.ID == o.ID })
	if n < 0 {
		n = len(offers)
		o.Plans = nil
		offers = append(offers, Offer{Offering: o, Status: providers.Down})
		if p, known := b.Providers.Get(o.Provider); known {
			offers[n].Status, offers[n].Note = p.Status(), p.Why()
		}
	}
	if _, known := b.Providers.Get(o.Provider); !known {
		l.Why = fmt.Sprintf("%s does not sell here any more.", o.Provider)
	}
	offers[n].Lapsed = append(offers[n].Lapsed, l)
	return offers
}
