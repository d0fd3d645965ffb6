package api

import (
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

func (a *API) market() {
	register(a, route{method: http.MethodGet, path: prefix + "/marketplace", id: "marketplace-list", tag: "marketplace", summary: "What you may buy: offerings of all providers with plans and prices."},
		func(ctx context.Context, who identity.Principal, _ *struct{}) (*reply[[]client.Offering], error) {
			offers, err := a.Broker.Market(ctx, who)
			return answer(each(offers, err, wireOffer))
		})
}

func wireOffer(o broker.Offer) client.Offering {
	out := client.Offering{
		ID: o.ID, Name: o.Name, Kind: string(o.Kind), Title: o.DisplayName, Description: o.Description, Provider: o.Provider,
		Region: o.Region, Status: string(o.Status), Note: o.Note, Tags: append([]string{}, o.Tags...), Plans: []client.Plan{},
	}
	for _, p := range o.Plans {
		out.Plans = append(out.Plans, wirePlan(p))
	}
	return out
}

func wirePlan(p catalog.Plan) client.Plan {
	out := client.Plan{
		ID: p.ID, Name: p.Name, Title: p.DisplayName, Description: p.Description, Free: p.Free(), Limits: p.Limits, Metrics: []client.Metric{},
		Prices: map[string][]client.Rate{}, Monthly: map[string]string{}, Schema: p.Schemas.Create,
	}
	for _, m := range p.Metrics {
		out.Metrics = append(out.Metrics, client.Metric{Name: m.Name, Unit: m.Unit})
	}
	for currency, rates := range p.Prices {
		for _, r := range rates {
			out.Prices[currency] = append(out.Prices[currency], wireRate(r))
		}
		if sum, ok := p.Monthly(currency); ok {
			out.Monthly[currency] = sum.String()
		}
	}
	return out
}

func wireRate(r catalog.Rate) client.Rate {
	return client.Rate{
		Name: r.Name, Model: r.Model, Amount: decimal(r.Amount), Per: r.Per, Hours: r.Hours, Proration: r.Proration, Metric: r.Metric,
		Unit: decimal(r.Unit), Included: decimal(r.Included),
	}
}

// decimal writes what is not zero.
func decimal(d money.Decimal) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}
