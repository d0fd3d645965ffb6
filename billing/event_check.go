package billing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Bounds of what is stored of an event, and of what it may come to.
const (
	longestName  = 255             // of source, id and metric, in bytes
	longestTags  = 4 << 10         // of all dimensions, in bytes of JSON
	mostDecimals = 18              // of a value
	ahead        = 5 * time.Minute // how far a sender's clock may run before the market's

	// A month's charges stay below a hundredth of what an Amount holds, which leaves room for taxes and for reports that do not see each other.
	// Only an event worth at least dearEvent minor units makes us look: it takes 10^11 of those worth less to get there.
	dearEvent = 1_000_000
	mostMonth = 100_000_000_000_000_000
)

func checkEvent(e catalog.Event, now time.Time) error {
	var wrong []fault.Field
	for _, f := range []struct{ path, value string }{{"source", e.Source}, {"id", e.ID}, {"type", e.Metric}, {"subject", e.Instance}} {
		if f.value == "" || len(f.value) > longestName {
			wrong = append(wrong, fault.Field{Path: f.path, Reason: fmt.Sprintf("needed, at most %d bytes", longestName)})
		}
	}
	if e.Time.IsZero() {
		wrong = append(wrong, fault.Field{Path: "time", Reason: "needed: when the use happened"})
	} else if e.Time.After(now.Add(ahead)) {
		wrong = append(wrong, fault.Field{Path: "time", Reason: fmt.Sprintf("%s lies in the future; it is %s", e.Time.UTC().Format(time.RFC3339), now.Format(time.RFC3339))})
	}
	if reason := checkValue(e.Value); reason != "" {
		wrong = append(wrong, fault.Field{Path: "data/value", Reason: reason})
	}
	if len(wrong) > 0 {
		return fault.Invalid.Errorf("The event %.60q is wrong: %s: %s.", e.ID, wrong[0].Path, wrong[0].Reason).WithFields(wrong...)
	}
	return nil
}

// checkMetric refuses a metric that no plan of the instance ever had.
func (l *Ledger) checkMetric(ctx context.Context, e catalog.Event, had []intervalRow) error {
	metrics, err := l.metrics(ctx, had)
	if err != nil {
		return err
	}
	var names []string
	for _, i := range had {
		for _, m := range metrics[i.Plan] {
			if m.Name == e.Metric {
				return nil
			}
			if !slices.Contains(names, m.Name) {
				names = append(names, m.Name)
			}
		}
	}
	return fault.Invalid.Errorf("The plan of instance %s has no metric %q; it has %q.", e.Instance, e.Metric, names).
		WithFields(fault.Field{Path: "type", Reason: "unknown metric"})
}

// checkValue says what is wrong with a reported value, "" when nothing is.
func checkValue(v money.Decimal) string {
	most := money.FromInt(catalog.MostQuantity)
	if v.Cmp(most) >= 0 || v.Cmp(money.FromInt(-catalog.MostQuantity)) <= 0 {
		return fmt.Sprintf("%s is too large; it must be below %s, either sign", v, most)
	}
	if _, fraction, _ := strings.Cut(v.String(), "."); len(fraction) > mostDecimals {
		return fmt.Sprintf("%d decimals are too many; %d are taken", len(fraction), mostDecimals)
	}
	return ""
}

// checkLife refuses a time in a month in which the instance did not run: usage is charged by the month, and that month's invoice has no line for it.
func checkLife(e catalog.Event, had []intervalRow) error {
	if slices.ContainsFunc(had, func(i intervalRow) bool { return i.runsIn(monthOf(e.Time)) }) {
		return nil
	}
	first, last := had[0], had[len(had)-1]
	life := "has run since " + instant(first.StartedAt).Format(time.RFC3339)
	if last.EndedAt != 0 {
		life = "ran from " + instant(first.StartedAt).Format(time.RFC3339) + " to " + instant(last.EndedAt).Format(time.RFC3339)
	}
	return fault.Unprocessable.Errorf("The event %.60q is of %s, a month in which instance %s did not run: it %s.", e.ID, e.Time.UTC().Format(time.RFC3339), e.Instance, life).
		WithHint("Give a time in which the instance ran.").WithFields(fault.Field{Path: "time", Reason: "the instance did not run in this month"})
}

// runsIn tells whether an interval holds any moment of a month.
func (i intervalRow) runsIn(month Period) bool {
	from := max(i.StartedAt, month.From.UnixMicro())
	return from < month.To.UnixMicro() && (i.EndedAt == 0 || from < i.EndedAt)
}

// checkMonth refuses a dear event, stored a moment ago, that makes its month's charges larger than they may be. It is asked inside the event's transaction.
func (l *Ledger) checkMonth(ctx context.Context, e eventRow, a accountRow) error {
	charges, err := l.charges(ctx, a, identity.Scope{}, monthOf(instant(e.At)), time.Time{})
	var total money.Amount
	if err == nil {
		total, err = sum(a.Currency, charges)
	}
	if fault.KindOf(err) == fault.Unavailable || err == nil && total.Minor < mostMonth {
		return err
	}
	return fault.Unprocessable.Wrap(err, "With the event %.60q, of %s %s, the month's charges would be larger than an invoice may be.", e.ID, e.Value, e.Metric).
		WithHint("Check the value and its unit.").WithFields(fault.Field{Path: "data/value", Reason: "too large at the plan's price"})
}

// dear tells whether an event is worth enough at the highest price its metric ever had for the instance to make a month too large.
func (b *batch) dear(ctx context.Context, e eventRow, a accountRow, had []intervalRow) (bool, error) {
	if e.Late == 1 || strings.HasPrefix(e.Value, "-") {
		return false, nil
	}
	value, err := money.Parse(e.Value)
	if err != nil {
		return false, fault.Internal.Wrap(err, "An event's value cannot be read.")
	}
	rows, err := b.pricesIn(ctx, a.Currency, had)
	if err != nil {
		return false, err
	}
	prices, err := pricesOf(rows)
	if err != nil {
		return false, err
	}
	for _, p := range prices {
		for _, r := range p.Rates {
			if r.Metric != e.Metric {
				continue
			}
			worth, err := money.Round(value.Ratio().Mul(r.Unit.Ratio()), a.Currency, money.HalfAway)
			if dear := err != nil || worth.Minor >= dearEvent; dear { // an error is an overflow
				return true, nil
			}
		}
	}
	return false, nil
}
