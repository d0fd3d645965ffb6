package rating

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
)

// Span is a stretch of time: From inclusive, To exclusive.
type Span struct{ From, To time.Time }

// Price is one version of a plan's rates in the input's currency, in force from From until the plan's next version.
type Price struct {
	Plan    string // id
	Version int64
	From    time.Time
	Metrics []catalog.Metric
	Rates   []catalog.Rate
}

// Interval is a time in which an instance ran under one plan. A zero To means it still runs.
type Interval struct {
	Instance, Plan string // ids
	From, To       time.Time
	Suspended      []Span // a zero To means still suspended
}

// Use is one reported quantity. Key is its identity; it decides which of two values of the same moment is the later one.
type Use struct {
	Instance, Metric, Key string
	At                    time.Time
	Value                 money.Decimal
}

// Newest is the version of the rules that Rate charges by unless it is told an older one. By version 1 what was used on a plan without a price was
// charged by the plan that followed, and an hour that such a plan began belonged to the one after it.
const Newest = 2

// Input is everything a charge depends on. The order of its lists does not matter.
type Input struct {
	Currency  string
	Rounding  money.Rounding
	Rules     int       // the version of the rules, see Newest; 0 is the newest
	Period    Span      // a UTC calendar month
	Until     time.Time // compute as if the period ended now; zero: its real end
	Prices    []Price
	Intervals []Interval
	Uses      []Use
}

// Line is one charge: Quantity × UnitPrice, rounded once, is Amount (a capped or prorated fixed rate carries the fraction exactly).
type Line struct {
	Instance, Plan, Rate string
	Version              int64
	Metric, Unit         string // Metric is empty for fixed rates
	Included             money.Decimal
	From, To             time.Time
	Quantity, UnitPrice  money.Ratio
	Amount               money.Amount
}

// Rate computes the lines, ordered by instance, time and the order of the plan's rates. Overlapping intervals of one instance, an unknown currency,
// a rate that catalog.ValidateRates would refuse and amounts beyond int64 are errors.
func Rate(in Input) ([]Line, error) {
	var lines []Line
	err := in.each(func(r rater, p *part) error {
		got, err := r.part(p)
		if err != nil {
			return fmt.Errorf("instance %s: %w", p.instance, err)
		}
		lines = append(lines, got...)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return lines, nil
}

// each visits the parts of every instance with their uses, in the order of the lines.
func (in Input) each(visit func(rater, *part) error) error {
	r := rater{Input: in, end: in.Period.To, prices: slices.Clone(in.Prices)}
	if !in.Until.IsZero() && in.Until.Before(r.end) {
		r.end = in.Until
	}
	slices.SortStableFunc(r.prices, func(a, b Price) int {
		return first(strings.Compare(a.Plan, b.Plan), a.From.Compare(b.From), int(a.Version-b.Version))
	})
	intervals, uses := slices.Clone(in.Intervals), slices.Clone(in.Uses)
	slices.SortFunc(intervals, func(a, b Interval) int {
		return first(strings.Compare(a.Instance, b.Instance), a.From.Compare(b.From), a.To.Compare(b.To))
	})
	slices.SortFunc(uses, func(a, b Use) int {
		return first(strings.Compare(a.Instance, b.Instance), a.At.Compare(b.At), strings.Compare(a.Key, b.Key))
	})
	for len(intervals) > 0 {
		id := intervals[0].Instance
		n := count(intervals, func(i Interval) bool { return i.Instance == id })
		for len(uses) > 0 && uses[0].Instance < id {
			uses = uses[1:]
		}
		m := count(uses, func(u Use) bool { return u.Instance == id })
		parts, err := r.parts(intervals[:n], uses[:m])
		if err != nil {
			return err
		}
		for _, p := range parts {
			if err := visit(r, p); err != nil {
				return err
			}
		}
		intervals, uses = intervals[n:], uses[m:]
	}
	return nil
}

type rater struct {
	Input
	end    time.Time
	prices []Price
}

// first gives the first comparison that is not zero.
func first(c ...int) int {
	for _, v := range c {
		if v != 0 {
			return v
		}
	}
	return 0
}

// count tells how many elements at the head of a list belong together.
func count[T any](list []T, same func(T) bool) int {
	if i := slices.IndexFunc(list, func(v T) bool { return !same(v) }); i >= 0 {
		return i
	}
	return len(list)
}

// parts gives those of one instance with their uses: its intervals in order of time, its uses in order of time.
func (r rater) parts(intervals []Interval, uses []Use) ([]*part, error) {
	segments, err := r.segments(intervals)
	if err != nil {
		return nil, err
	}
	parts := gather(segments)
	for _, u := range uses {
		if u.At.Before(r.Period.From) || !u.At.Before(r.end) {
			continue
		}
		if p := home(segments, parts, u.At); p != nil {
			p.uses = append(p.uses, u)
		}
	}
	return parts, nil
}

// part applies every rate of one price version to what ran under it.
func (r rater) part(p *part) ([]Line, error) {
	var lines []Line
	for _, rate := range p.price.Rates {
		var charge charge
		var err error
		switch rate.Model {
		case "fixed":
			charge, err = r.fixed(rate, p)
		case "per_unit":
			charge, err = perUnit(rate, p)
		default:
			err = fmt.Errorf("the model %q is not built", rate.Model)
		}
		if err != nil {
			return nil, fmt.Errorf("rate %q: %w", rate.Name, err)
		}
		if charge.quantity.Sign() == 0 {
			continue
		}
		amount, err := money.Round(charge.exact, r.Currency, r.Rounding)
		if err != nil {
			return nil, fmt.Errorf("rate %q: %w", rate.Name, err)
		}
		lines = append(lines, Line{
			Instance: p.instance, Plan: p.price.Plan, Version: p.price.Version, Rate: rate.Name, Metric: rate.Metric, Unit: charge.unit,
			Included: rate.Included, From: p.from, To: p.to, Quantity: charge.quantity, UnitPrice: charge.price, Amount: amount,
		})
	}
	return lines, nil
}
