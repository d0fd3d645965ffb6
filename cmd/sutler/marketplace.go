package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
	"github.com/sutlerhq/sutler/web/client"
)

// wish is what the marketplace is searched for; empty fields fit all.
type wish struct{ term, kind, offering, provider, region, currency string }

// sale is one plan of one offering: a row of the marketplace.
type sale struct {
	offering client.Offering
	plan     client.Plan
}

func newMarketplace(s *session) *cobra.Command {
	var w wish
	c := &cobra.Command{
		Use: "marketplace [TERM]", Aliases: []string{"market", "search"}, Short: "Show what is on sale: plans and prices of all providers",
		Example: "  sutler marketplace\n  sutler marketplace postgres --region eu-local\n  sutler marketplace --kind nats -o wide",
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
			return s.showMarket(all, w)
		},
	}
	f := c.Flags()
	f.StringVar(&w.kind, "kind", "", "of this kind: postgresql, redis, nats…")
	f.StringVar(&w.offering, "offering", "", "this offering, by name")
	f.StringVar(&w.provider, "provider", "", "of this provider")
	f.StringVar(&w.region, "region", "", "in this region")
	f.StringVar(&w.currency, "currency", "", "prices in this currency (default: EUR, or the only one)")
	return reading(s, c)
}

func (s *session) showMarket(all []client.Offering, w wish) error {
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
	var rows []sale
	for _, o := range found {
		for _, p := range o.Plans {
			rows = append(rows, sale{o, p})
		}
	}
	return list(s, rows, "Nothing on sale fits. Try sutler marketplace without a filter.",
		column[sale]{title: "Offering:Plan", cell: func(r sale) string { return r.offering.Name + ":" + r.plan.Name }},
		column[sale]{title: "Kind", cell: func(r sale) string { return r.offering.Kind }, wide: true},
		column[sale]{title: "Provider", cell: func(r sale) string { return r.offering.Provider }},
		column[sale]{title: "Region", cell: func(r sale) string { return r.offering.Region }},
		column[sale]{title: "Price", cell: func(r sale) string { return r.plan.Price(w.money(r.plan)) }, prose: true},
		column[sale]{title: "Status", cell: func(r sale) string { return r.offering.Status }},
		column[sale]{title: "Note", cell: func(r sale) string { return r.offering.Note }, wide: true, prose: true},
		column[sale]{title: "Limits", cell: func(r sale) string { return limits(r.plan.Limits) }, wide: true, prose: true},
		column[sale]{title: "Description", cell: func(r sale) string { return cmp.Or(r.plan.Description, r.offering.Description) }, wide: true, prose: true},
	)
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
