package pages

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// nearestFirst is the order that is not the cheapest first.
const nearestFirst = "near"

// filter is what the marketplace's address asks for.
type filter struct{ query, kind, region, provider, order string }

func filterOf(q url.Values) filter {
	f := filter{query: strings.TrimSpace(q.Get("q")), kind: q.Get("kind"), region: q.Get("region"), provider: q.Get("provider")}
	if q.Get("order") == nearestFirst {
		f.order = nearestFirst
	}
	return f
}

func (f filter) url(path string) string {
	q := url.Values{}
	for name, value := range map[string]string{"q": f.query, "kind": f.kind, "region": f.region, "provider": f.provider, "order": f.order} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// turned asks for the same in the other order.
func (f filter) turned() filter {
	if f.order == nearestFirst {
		f.order = ""
	} else {
		f.order = nearestFirst
	}
	return f
}

func (f filter) holds(o broker.Offer) bool {
	return (f.kind == "" || f.kind == string(o.Kind)) && (f.region == "" || f.region == o.Region) &&
		(f.provider == "" || f.provider == o.Provider) && matches(f.query, o.Offering)
}

// market shows what is on sale.
func (p *Pages) market(c echo.Context) error {
	v, err := p.visit(c, "Marketplace", "market")
	if err != nil {
		return err
	}
	offers, err := p.Broker.Stock(c.Request().Context(), v.who)
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, marketPage(v.frame, c.Request().URL.Path, filterOf(c.QueryParams()), offers, p.away(c.Request().Context(), v)))
}

func marketPage(f look.Frame, path string, want filter, offers []broker.Offer, away away) look.Market {
	f.Search = want.query
	page := look.Market{Frame: f, Command: marketCommand(want)}
	if all := (filter{order: want.order}); want != all {
		page.ClearURL = path
	}
	sellers := map[string]bool{}
	for _, o := range offers {
		if len(o.Plans) > 0 || len(o.Lapsed) == 0 {
			sellers[o.Provider] = true
			page.Total++
		}
	}
	page.Sellers = len(sellers)
	fit := slices.DeleteFunc(slices.Clone(offers), func(o broker.Offer) bool { return !want.holds(o) })
	for _, o := range fit {
		one := card(f, o)
		one.Near = away.near(o.Provider)
		page.Cards = append(page.Cards, one)
	}
	page.Reach = away.reach(fit, want)
	if want.kind != "" && len(page.Cards) > 1 {
		page.Compared, page.Order = compared(f, fit, want.kind), look.Order{Near: want.order == nearestFirst, URL: want.turned().url(path)}
		away.beside(page.Compared)
		if page.Order.Near {
			away.sort(page.Compared)
		}
	}
	page.Kinds = facetsOf(offers, want, path, func(o broker.Offer) string { return string(o.Kind) }, func(f *filter) *string { return &f.kind })
	page.Regions = facetsOf(offers, want, path, func(o broker.Offer) string { return o.Region }, func(f *filter) *string { return &f.region })
	page.Providers = facetsOf(offers, want, path, func(o broker.Offer) string { return o.Provider }, func(f *filter) *string { return &f.provider })
	return page
}

// facetsOf lists the values of one facet with how many offerings each would show beside the other filters. Following one turns it on or off.
func facetsOf(offers []broker.Offer, want filter, path string, value func(broker.Offer) string, field func(*filter) *string) []look.Facet {
	others := want
	*field(&others) = ""
	var list []look.Facet
	for _, o := range offers {
		name := value(o)
		if name == "" || slices.ContainsFunc(list, func(f look.Facet) bool { return f.Label == name }) {
			continue
		}
		with, n := others, 0
		*field(&with) = name
		for _, other := range offers {
			if with.holds(other) {
				n++
			}
		}
		on := *field(&want) == name
		if on {
			with = others
		}
		list = append(list, look.Facet{Label: name, URL: with.url(path), Count: n, On: on})
	}
	return list
}

func marketCommand(f filter) look.Command {
	words := []string{"sutler", "marketplace"}
	if f.query != "" {
		words = append(words, f.query)
	}
	for _, flag := range [][2]string{{"--kind", f.kind}, {"--region", f.region}, {"--provider", f.provider}} {
		if flag[1] != "" {
			words = append(words, flag[0], flag[1])
		}
	}
	return command(words...)
}
