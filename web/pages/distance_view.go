package pages

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// away is how far providers are, by name, from each place where that was measured: the project's apps first.
type away map[string][]look.Distance

// away asks how far the providers are. A broker that cannot tell takes only the distances off the page.
func (p *Pages) away(ctx context.Context, v visit) away {
	list, err := p.Broker.Distances(ctx, v.who, v.scope())
	if err != nil {
		p.Log.LogAttrs(ctx, slog.LevelWarn, "distances", slog.String("project", v.project.ID), slog.Any("cause", err))
	}
	by := away{}
	for _, d := range list {
		by[d.Provider] = append(by[d.Provider], distanceOf(d))
	}
	for _, all := range by {
		slices.SortStableFunc(all, func(x, y look.Distance) int {
			if x.App != y.App {
				return map[bool]int{true: -1, false: 1}[x.App]
			}
			return y.At.Compare(x.At)
		})
	}
	return by
}

func distanceOf(d broker.Distance) look.Distance {
	return look.Distance{
		Provider: d.Provider, From: cmp.Or(d.App, "the market"), App: d.App != "", Hosts: strings.Join(d.Hosts, ", "),
		P50: look.Span(d.Measured.P50), P95: look.Span(d.Measured.P95), Tries: d.Measured.N, At: d.MeasuredAt, Median: d.Measured.P50,
	}
}

// near is the distance that says most about a provider: that of the app that measured last, else the market's own.
func (a away) near(provider string) look.Distance {
	if len(a[provider]) == 0 {
		return look.Distance{}
	}
	return a[provider][0]
}

// reach lists every distance of the providers of these offers, and those that nobody has measured.
func (a away) reach(offers []broker.Offer, want filter) look.Reach {
	r := look.Reach{Now: time.Now(), Command: marketCommand(filter{query: want.query, kind: want.kind, region: want.region, provider: want.provider}) + " --near"}
	seen := map[string]bool{}
	for _, o := range offers {
		if seen[o.Provider] {
			continue
		}
		seen[o.Provider] = true
		all := a[o.Provider]
		if len(all) == 0 {
			all = []look.Distance{{Provider: o.Provider}}
		}
		for _, d := range all {
			d.Region = o.Region
			r.Rows = append(r.Rows, d)
		}
	}
	return r
}

// beside writes the distances into a comparison.
func (a away) beside(list []look.Rival) {
	for n := range list {
		list[n].Near = a.near(list[n].Provider)
	}
}

// sort puts what can be bought first, then the nearest; what nobody measured comes last.
func (a away) sort(list []look.Rival) {
	slices.SortStableFunc(list, func(x, y look.Rival) int {
		if x.Open != y.Open {
			return map[bool]int{true: -1, false: 1}[x.Open]
		}
		if known := x.Near.From != ""; known != (y.Near.From != "") {
			return map[bool]int{true: -1, false: 1}[known]
		}
		return cmp.Compare(x.Near.Median, y.Near.Median)
	})
}

// sameKind are the offers of one kind.
func sameKind(offers []broker.Offer, one broker.Offer) []broker.Offer {
	return slices.DeleteFunc(slices.Clone(offers), func(o broker.Offer) bool { return o.Kind != one.Kind })
}
