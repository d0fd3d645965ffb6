package main

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
	"github.com/sutlerhq/sutler/web/client"
)

// wish is what the marketplace is searched for; empty fields fit all.
type wish struct {
	term, kind, offering, provider, region, currency string
	near                                             bool
}

// sale is one plan of one offering: a row of the marketplace.
type sale struct {
	offering client.Offering
	plan     client.Plan
}

func newMarketplace(s *session) *cobra.Command {
	var w wish
	c := &cobra.Command{
		Use: "marketplace [TERM]", Aliases: []string{"market", "search"}, Short: "Show what is on sale: plans and prices of all providers",
		Example: "  sutler marketplace\n  sutler marketplace postgres --region eu-local\n  sutler marketplace --kind nats -o wide\n  sutler marketplace --kind postgresql --near",
		Args:    arguments("[TERM]"),
		RunE: func(c *cobra.Command, args []string) error {
			api, err := s.connect()
			if err != nil {
				return err
			}
			if len(args) == 1 {
				w.term = strings.ToLower(args[0])
			}
			all, err := api.Market(c.Context())
			if err != nil {
				return err
			}
			near := map[string]time.Duration{}
			if w.near {
				if near, err = s.measure(c.Context(), api); err != nil {
					return err
				}
				byDistance(all, near)
			}
			return s.showMarket(all, w, near)
		},
	}
	f := c.Flags()
	f.StringVar(&w.kind, "kind", "", "of this kind: postgresql, redis, nats…")
	f.StringVar(&w.offering, "offering", "", "this offering, by name")
	f.StringVar(&w.provider, "provider", "", "of this provider")
	f.StringVar(&w.region, "region", "", "in this region")
	f.BoolVar(&w.near, "near", false, "measure how far the providers are from here, and show the nearest first")
	f.StringVar(&w.currency, "currency", "", "prices in this currency (default: EUR, or the only one)")
	return reading(s, c)
}

func (s *session) showMarket(all []client.Offering, w wish, near map[string]time.Duration) error {
	found := slices.DeleteFunc(slices.Clone(all), func(o client.Offering) bool { return !w.fits(o) })
	if w.offering != "" && len(found) == 0 {
		var names []string
		for _, o := range all {
			names = append(names, o.Name)
		}
		return fault.NotFound.Errorf("There is no offering %q.%s", w.offering, suggest.DidYouMean(w.offering, names)).WithHint("sutler marketplace lists them.")
	}
	if done, err := s.data(found); done {
		return err
	}
	if w.near {
		s.sayMeasured(found, near)
	}
	var rows []sale
	for _, o := range found {
		for _, p := range o.Plans {
			rows = append(rows, sale{o, p})
		}
	}
	columns := []column[sale]{
		{title: "Offering:Plan", cell: func(r sale) string { return r.offering.Name + ":" + r.plan.Name }},
		{title: "Kind", cell: func(r sale) string { return r.offering.Kind }, wide: true},
		{title: "Provider", cell: func(r sale) string { return r.offering.Provider }},
		{title: "Region", cell: func(r sale) string { return r.offering.Region }},
		{title: "Price", cell: func(r sale) string { return r.plan.Price(w.money(r.plan)) }, prose: true},
		{title: "Status", cell: func(r sale) string { return r.offering.Status }},
		{title: "Note", cell: func(r sale) string { return r.offering.Note }, prose: true, foot: func(r sale) string { return r.offering.Provider }},
		{title: "Limits", cell: func(r sale) string { return limits(r.plan.Limits) }, wide: true, prose: true},
		{title: "Description", cell: func(r sale) string { return cmp.Or(r.plan.Description, r.offering.Description) }, wide: true, prose: true},
	}
	if w.near {
		rtt := column[sale]{title: "RTT", cell: func(r sale) string { return distance(near, r.offering.Provider) }, right: true}
		columns = slices.Insert(columns, 4, rtt)
	}
	return list(s, rows, "Nothing on sale fits. Try sutler marketplace without a filter.", columns...)
}

// byDistance writes down how far each offering is, and puts the nearest first; those that could not be measured come last.
func byDistance(all []client.Offering, near map[string]time.Duration) {
	for i := range all {
		if d, known := near[all[i].Provider]; known {
			all[i].RTT = d.Round(time.Microsecond).String()
		}
	}
	far := func(o client.Offering) time.Duration {
		if d, known := near[o.Provider]; known {
			return d
		}
		return math.MaxInt64
	}
	slices.SortStableFunc(all, func(x, y client.Offering) int { return cmp.Compare(far(x), far(y)) })
}

func (w wish) fits(o client.Offering) bool {
	text := strings.ToLower(strings.Join(append([]string{o.Name, o.Kind, o.Title, o.Description, o.Provider}, o.Tags...), " "))
	return strings.Contains(text, w.term) && (w.kind == "" || w.kind == o.Kind) && (w.offering == "" || w.offering == o.Name) &&
		(w.provider == "" || w.provider == o.Provider) && (w.region == "" || w.region == o.Region)
}

// money is the currency that a plan's price is shown in.
func (w wish) money(p client.Plan) string {
	sold := slices.Sorted(maps.Keys(p.Prices))
	switch {
	case w.currency != "":
		return w.currency
	case len(sold) == 0 || slices.Contains(sold, "EUR"):
		return "EUR"
	default:
		return sold[0]
	}
}
