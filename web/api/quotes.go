package api

import (
	"cmp"
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
	"github.com/sutlerhq/sutler/web/client"
)

// newQuote is the body of quote-make.
type newQuote struct{ Body client.QuoteRequest }

func (a *API) quotes() {
	register(a, route{method: http.MethodPost, path: prefix + "/quotes", id: "quote-make", tag: "marketplace", summary: "What each plan that fits would cost, the cheapest first. Nothing is ordered."}, a.quoteMake)
	register(a, route{method: http.MethodGet, path: prefix + "/marketplace/targets", id: "target-list", tag: "marketplace", summary: "Where the providers of what you may buy can be measured for latency."}, a.targetList)
}

func (a *API) targetList(ctx context.Context, who identity.Principal, _ *struct{}) (*reply[[]client.Target], error) {
	list, err := a.Broker.Targets(ctx, who)
	return answer(each(list, err, func(n broker.Near) client.Target {
		return client.Target{Provider: n.Provider, Region: n.Region, Address: n.Target.Address, Protocol: n.Target.Protocol}
	}))
}

func (a *API) quoteMake(ctx context.Context, who identity.Principal, in *newQuote) (*reply[[]client.Quote], error) {
	ask := in.Body
	quantities, err := decimals(ask.Metrics)
	if err != nil {
		return nil, err
	}
	if ask.Currency == "" {
		if ask.Currency, err = a.currency(ctx, who, ask.Org); err != nil {
			return nil, err
		}
	}
	plans, err := a.quotable(ctx, who, ask)
	if err != nil {
		return nil, err
	}
	if err := metered(plans, quantities); err != nil {
		return nil, err
	}
	list := make([]priced, 0, len(plans))
	for _, p := range plans {
		q, err := billing.QuoteOf(p.plan, ask.Currency, cmp.Or(ask.Hours, billing.MonthHours), quantities)
		if fault.KindOf(err) == fault.Refused {
			continue // not sold in this currency
		}
		if err != nil {
			return nil, err
		}
		total, err := money.Parse(q.Total)
		if err != nil {
			return nil, err
		}
		list = append(list, priced{wireQuote(p, q), total})
	}
	if len(list) == 0 {
		return nil, fault.Refused.Errorf("%s is not sold in %s.", ask.Want, ask.Currency).WithHint("Ask for another currency.")
	}
	slices.SortStableFunc(list, func(x, y priced) int { return x.total.Cmp(y.total) })
	return answer(each(list, nil, func(p priced) client.Quote { return p.Quote }))
}

// currency is the one that who's org pays in; the market's for those who named no org and are in none, or in several.
func (a *API) currency(ctx context.Context, who identity.Principal, org string) (string, error) {
	found, err := a.org(ctx, who, org)
	switch {
	case err == nil:
		return a.Ledger.Currency(ctx, found.ID)
	case org == "":
		return a.Broker.Currency, nil
	}
	return "", err
}

// priced is a quote with its total as a number.
type priced struct {
	client.Quote
	total money.Decimal
}

// quotablePlan is a plan of an offering that is on sale.
type quotablePlan struct {
	offer broker.Offer
	plan  catalog.Plan
}

// quotable lists the plans that a request can mean.
func (a *API) quotable(ctx context.Context, who identity.Principal, ask client.QuoteRequest) ([]quotablePlan, error) {
	offers, err := a.Broker.Market(ctx, who)
	if err != nil {
		return nil, err
	}
	want, plan, err := wanted(ask.Want)
	if err != nil {
		return nil, err
	}
	var list []quotablePlan
	var words []string
	for _, o := range offers {
		words = append(words, o.Name, string(o.Kind))
		if want != o.Name && want != o.ID && want != string(o.Kind) || ask.Region != "" && ask.Region != o.Region || ask.Provider != "" && ask.Provider != o.Provider {
			continue
		}
		for _, p := range o.Plans {
			if plan == "" || plan == p.Name {
				list = append(list, quotablePlan{o, p})
			}
		}
	}
	if len(list) == 0 {
		return nil, fault.NotFound.Errorf("Nothing on sale fits %q.%s", ask.Want, suggest.DidYouMean(want, words)).WithHint("sutler marketplace lists what is.")
	}
	return list, nil
}

// metered refuses a metric that none of the plans is charged or shown by: it would silently cost nothing.
func metered(plans []quotablePlan, quantities map[string]money.Decimal) error {
	known := map[string]bool{}
	for _, p := range plans {
		for _, m := range p.plan.Metrics {
			known[m.Name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(quantities)) {
		if !known[name] {
			have := slices.Sorted(maps.Keys(known))
			return fault.Invalid.Errorf("None of these plans has a metric %q.%s They have: %s.", name, suggest.DidYouMean(name, have), cmp.Or(strings.Join(have, ", "), "none"))
		}
	}
	return nil
}

func decimals(texts map[string]string) (map[string]money.Decimal, error) {
	out := make(map[string]money.Decimal, len(texts))
	most := money.FromInt(catalog.MostQuantity)
	for name, text := range texts {
		d, err := money.Parse(text)
		if err != nil || d.Sign() < 0 || d.Cmp(most) >= 0 {
			return nil, fault.Invalid.Errorf("The quantity %q of %s is no decimal from 0 up.", text, name).WithHint(`Write it like "1200" or "0.5".`)
		}
		out[name] = d
	}
	return out, nil
}

func wireQuote(p quotablePlan, q billing.Quote) client.Quote {
	out := client.Quote{
		Offering: p.offer.Name, Kind: string(p.offer.Kind), Plan: p.plan.Name, Provider: p.offer.Provider, Region: p.offer.Region,
		Status: string(p.offer.Status), Currency: q.Currency, Total: q.Total, Lines: []client.QuoteLine{},
	}
	for _, l := range q.Lines {
		out.Lines = append(out.Lines, client.QuoteLine{Description: l.Description, Quantity: l.Quantity, Unit: l.Unit, Amount: l.Amount})
	}
	return out
}
