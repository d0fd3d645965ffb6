package billing

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sutlerhq/sutler/billing/rating"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// shownDecimals is how many decimals a quantity or a unit price shows at most.
const shownDecimals = 12

// charge is a line with its amount as a number.
type charge struct {
	Line
	amount money.Amount
}

// charges rates what an account used in a month, within a scope ({}: all of it), as if the month ended at until (zero: at its real end).
func (l *Ledger) charges(ctx context.Context, a accountRow, in identity.Scope, month Period, until time.Time) ([]charge, error) {
	return l.chargesBy(ctx, l.rules, a, in, month, until)
}

// chargesBy is charges by a version of the rules.
func (l *Ledger) chargesBy(ctx context.Context, rules int, a accountRow, in identity.Scope, month Period, until time.Time) ([]charge, error) {
	input, intervals, err := l.input(ctx, a, in, month, until)
	if err != nil {
		return nil, err
	}
	input.Rules = rules
	lines, err := rating.Rate(input)
	if err != nil {
		return nil, fault.Unprocessable.Wrap(err, "The charges of %s cannot be computed: %s.", month.From.Format("January 2006"), err).
			WithHint("An operator must look at what was reported and at the price.")
	}
	return named(lines, intervals)
}

// input gathers what an account's charges of a month depend on.
func (l *Ledger) input(ctx context.Context, a accountRow, in identity.Scope, month Period, until time.Time) (input rating.Input, intervals []intervalRow, err error) {
	from, to := month.From.UnixMicro(), month.To.UnixMicro()
	if intervals, err = l.intervalsIn(ctx, a.ID, in, from, to); err != nil {
		return input, nil, err
	}
	suspensions, err := l.suspensions(ctx, a.ID)
	if err != nil {
		return input, nil, err
	}
	events, err := l.events(ctx, []string{a.ID}, from, to, false)
	if err != nil {
		return input, nil, err
	}
	prices, err := l.prices(ctx, plansOf(intervals), a.Currency)
	if err != nil {
		return input, nil, err
	}
	input = rating.Input{Currency: a.Currency, Period: rating.Span(month), Until: until, Intervals: spans(intervals, suspensions)}
	if input.Prices, err = pricesOf(prices); err != nil {
		return input, nil, err
	}
	if input.Uses, err = usesOf(events); err != nil {
		return input, nil, err
	}
	return input, intervals, nil
}

// spans joins intervals with the suspensions of their instances.
func spans(intervals []intervalRow, suspensions []suspensionRow) []rating.Interval {
	var out []rating.Interval
	for _, i := range intervals {
		r := rating.Interval{Instance: i.Instance, Plan: i.Plan, From: instant(i.StartedAt)}
		if i.EndedAt != 0 {
			r.To = instant(i.EndedAt)
		}
		for _, s := range suspensions {
			if s.Instance != i.Instance {
				continue
			}
			span := rating.Span{From: instant(s.StartedAt)}
			if s.EndedAt != 0 {
				span.To = instant(s.EndedAt)
			}
			r.Suspended = append(r.Suspended, span)
		}
		out = append(out, r)
	}
	return out
}

func pricesOf(rows []priceRow) ([]rating.Price, error) {
	var out []rating.Price
	for _, r := range rows {
		p := rating.Price{Plan: r.Plan, Version: r.Version, From: instant(r.ValidFrom)}
		if err := cmp.Or(json.Unmarshal([]byte(r.Metrics), &p.Metrics), json.Unmarshal([]byte(r.Rates), &p.Rates)); err != nil {
			return nil, fault.Internal.Wrap(err, "The price book holds a price of %s that cannot be read.", r.Plan)
		}
		out = append(out, p)
	}
	return out, nil
}

// named gives the lines with the names that were sold, ordered by project and instance as people read them.
func named(lines []rating.Line, intervals []intervalRow) ([]charge, error) {
	var out []charge
	for _, r := range lines {
		i := slices.IndexFunc(intervals, func(i intervalRow) bool { return i.Instance == r.Instance && i.Plan == r.Plan })
		s, err := intervals[i].sold()
		if err != nil {
			return nil, err
		}
		digits, err := money.Digits(r.Amount.Currency)
		if err != nil {
			return nil, fault.Internal.Wrap(err, "A line has no currency.")
		}
		out = append(out, charge{amount: r.Amount, Line: Line{
			Description: describe(s, r), Provider: s.Provider, Offering: s.OfferingName, Plan: s.PlanName,
			Instance: s.Instance, InstanceName: s.InstanceName, Org: s.Org, OrgName: s.OrgName, Project: s.Project, ProjectName: s.ProjectName,
			Metric: r.Metric, Quantity: r.Quantity.Text(0, shownDecimals), Unit: r.Unit, UnitPrice: r.UnitPrice.Text(digits, shownDecimals),
			From: r.From, To: r.To, Amount: r.Amount.String(),
		}})
	}
	slices.SortStableFunc(out, func(a, b charge) int {
		return cmp.Or(cmp.Compare(a.OrgName, b.OrgName), cmp.Compare(a.ProjectName, b.ProjectName), cmp.Compare(a.InstanceName, b.InstanceName), cmp.Compare(a.Instance, b.Instance))
	})
	return out, nil
}

func describe(s catalog.Snapshot, r rating.Line) string {
	text := fmt.Sprintf("%s %s: %s", s.OfferingName, s.PlanName, r.Rate)
	if !r.Included.IsZero() {
		text += fmt.Sprintf(" (beyond %s included)", r.Included)
	}
	return text
}

// Costs rates a scope's running month as if it ended now: the lines that would be invoiced, and their sum before tax.
func (l *Ledger) Costs(ctx context.Context, who identity.Principal, s identity.Scope) ([]Line, string, error) {
	if s.Org == "" {
		return nil, "", fault.Invalid.Errorf("Costs are shown for one org at a time.").WithHint("Name an org.")
	}
	if err := may(who, identity.UsageRead, s); err != nil {
		return nil, "", err
	}
	account, err := l.paying(ctx, s.Org)
	if err != nil {
		return nil, "", err
	}
	now := l.clock.Now()
	charges, err := l.charges(ctx, account, s, monthOf(now), now)
	if err != nil {
		return nil, "", err
	}
	total, err := sum(account.Currency, charges)
	return linesOf(charges), total.String(), err
}

func sum(currency string, charges []charge) (money.Amount, error) {
	total := money.Amount{Currency: currency}
	for _, c := range charges {
		var err error
		if total, err = total.Add(c.amount); err != nil {
			return total, fault.Unprocessable.Wrap(err, "The charges cannot be added up at %s of %s: %s.", c.Description, c.InstanceName, err)
		}
	}
	return total, nil
}

func linesOf(charges []charge) []Line {
	out := make([]Line, len(charges))
	for i, c := range charges {
		out[i] = c.Line
	}
	return out
}
