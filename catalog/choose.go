package catalog

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
)

// Need is what somebody wants: a Kind or an offering, and optionally a plan, a provider, a region, a nearness.
type Need struct {
	Want     string // Kind or offering name (or id)
	Plan     string // name or id; empty: any
	Provider string
	Region   string
	Currency string // prices are compared in it

	Within time.Duration            // how far the backend may be from who asks; 0: anywhere
	RTT    map[string]time.Duration // how far providers are, by name, as who asks has measured it
}

// Candidate is an offering that could serve, with what is known of it now.
type Candidate struct {
	Offering Offering
	Open     bool           // takes new instances now
	Cordoned bool           // when not open: the operator wants it so
	Why      string         // when not open: why
	Used     map[string]int // live instances by plan id
}

// Choice is what was chosen and why, for people.
type Choice struct {
	Offering Offering
	Plan     Plan
	Why      string
	Monthly  money.Decimal // what the plan's fixed rates come to for a whole month, in the need's currency
}

// Choose picks among candidates: those in the region and near enough that take new instances and have room, then the cheapest month, then
// the configuration's order. It is pure. Nothing fitting is NotFound, everything closed Unavailable, everything cordoned, full or too far Refused.
func Choose(candidates []Candidate, need Need) (Choice, error) {
	fitting, err := need.fitting(candidates)
	if err != nil {
		return Choice{}, err
	}
	if fitting, err = need.near(fitting); err != nil {
		return Choice{}, err
	}
	open := slices.DeleteFunc(slices.Clone(fitting), func(p place) bool { return !p.Open })
	if len(open) == 0 && !slices.ContainsFunc(fitting, func(p place) bool { return !p.Cordoned }) {
		return Choice{}, fault.Refused.Errorf("%s takes no new instances now: %s", need.Want, whys(fitting)).WithHint("Choose another with sutler marketplace.")
	}
	if len(open) == 0 {
		return Choice{}, fault.Unavailable.Errorf("%s takes no new instances now: %s", need.Want, whys(fitting)).WithHint("Try again later, or choose another with sutler marketplace.")
	}
	room := slices.DeleteFunc(slices.Clone(open), func(p place) bool { return p.plan.Capacity > 0 && p.Used[p.plan.ID] >= p.plan.Capacity })
	if len(room) == 0 {
		return Choice{}, fault.Refused.Errorf("Every plan of %s that fits is full.", need.Want).WithHint("Choose another plan, provider or region with sutler marketplace.")
	}
	best := slices.MinFunc(room, func(a, b place) int { return a.monthly.Cmp(b.monthly) }) // the first of equals
	return Choice{Offering: best.Offering, Plan: best.plan, Monthly: best.monthly, Why: best.why(need, len(room), len(fitting))}, nil
}

// near keeps what is close enough to who asks. What was not measured is not known to be.
func (n Need) near(fitting []place) ([]place, error) {
	if n.Within <= 0 {
		return fitting, nil
	}
	closer := slices.DeleteFunc(slices.Clone(fitting), func(p place) bool {
		rtt, measured := n.RTT[p.Offering.Provider]
		return !measured || rtt > n.Within
	})
	if len(closer) == 0 {
		return nil, fault.Refused.Errorf("No %s is within %s of here: %s.", n.Want, n.Within, strings.Join(unique(fitting, n.distance), ", ")).
			WithHint("Allow more with --max-rtt, or see all with sutler quote.")
	}
	return closer, nil
}

func (n Need) distance(p place) string {
	if rtt, measured := n.RTT[p.Offering.Provider]; measured {
		return fmt.Sprintf("%s answers after %s", p.Offering.Provider, rtt.Round(10*time.Microsecond))
	}
	return p.Offering.Provider + " could not be measured"
}

// place is one plan of one candidate.
type place struct {
	Candidate
	plan    Plan
	monthly money.Decimal
}

// fitting narrows step by step, so that the fault can say at which word nothing was left.
func (n Need) fitting(candidates []Candidate) ([]place, error) {
	var words []string
	var all []place
	for _, c := range candidates {
		words = append(words, c.Offering.Name, string(c.Offering.Kind))
		if n.Want != c.Offering.Name && n.Want != c.Offering.ID && n.Want != string(c.Offering.Kind) {
			continue
		}
		for _, p := range c.Offering.Plans {
			all = append(all, place{Candidate: c, plan: p})
		}
	}
	if len(all) == 0 {
		return nil, fault.NotFound.Errorf("Nothing called %q is on sale.%s", n.Want, suggest.DidYouMean(n.Want, words)).WithHint("sutler marketplace lists what is.")
	}
	for _, step := range []struct {
		word, want string
		have       func(place) []string
	}{
		{"provider", n.Provider, func(p place) []string { return []string{p.Offering.Provider} }},
		{"region", n.Region, func(p place) []string { return []string{p.Offering.Region} }},
		{"plan", n.Plan, func(p place) []string { return []string{p.plan.Name, p.plan.ID} }},
	} {
		if step.want == "" {
			continue
		}
		left := slices.DeleteFunc(slices.Clone(all), func(p place) bool { return !slices.Contains(step.have(p), step.want) })
		if len(left) == 0 {
			have := unique(all, func(p place) string { return step.have(p)[0] })
			return nil, fault.NotFound.Errorf("%s has no %s %q.%s It has: %s.", n.Want, step.word, step.want, suggest.DidYouMean(step.want, have), strings.Join(have, ", "))
		}
		all = left
	}
	return n.priced(all)
}

// priced keeps what is sold in the need's currency.
func (n Need) priced(all []place) ([]place, error) {
	var out []place
	for _, p := range all {
		if monthly, ok := p.plan.Monthly(n.Currency); ok {
			p.monthly = monthly
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, fault.Refused.Errorf("%s is not sold in %s.", n.Want, n.Currency).WithHint("An account's currency cannot change; choose another offering.")
	}
	return out, nil
}

// Monthly is what the plan's fixed rates come to for a whole month; ok is false when the plan has prices, but none in this currency.
func (p Plan) Monthly(currency string) (sum money.Decimal, ok bool) {
	rates, sold := p.Prices[currency]
	if !sold {
		return sum, p.Free()
	}
	for _, r := range rates {
		if r.Model == "fixed" {
			total, err := sum.Add(r.Amount)
			if err != nil {
				return money.Decimal{}, false
			}
			sum = total
		}
	}
	return sum, true
}

func (p place) why(n Need, room, fitting int) string {
	price := "free"
	if p.monthly.Sign() > 0 {
		price = p.monthly.String() + " " + n.Currency + " a month"
	} else if !p.plan.Free() {
		price = "no monthly price, metered"
	}
	what := fmt.Sprintf("%s:%s of %s in %s, %s", p.Offering.Name, p.plan.Name, p.Offering.Provider, cmp.Or(p.Offering.Region, "no named region"), price)
	if n.Within > 0 {
		what += ", " + n.RTT[p.Offering.Provider].Round(10*time.Microsecond).String() + " away"
	}
	if fitting == 1 {
		return what + ": the only one that fits."
	}
	return fmt.Sprintf("%s: the cheapest of %d that take new instances (%d fit).", what, room, fitting)
}

func whys(list []place) string {
	return strings.Join(unique(list, func(p place) string { return p.Offering.Provider + ": " + cmp.Or(p.Why, "closed") }), "; ")
}

func unique(list []place, word func(place) string) []string {
	var out []string
	for _, p := range list {
		if w := word(p); !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	return out
}
