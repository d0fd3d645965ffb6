package billing

import (
	"context"
	"strconv"

	"github.com/sutlerhq/sutler/billing/rating"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/fault"
)

// The ledger's own events, which move what a month could not take to the next one.
const (
	carrier = "ledger"
	carried = "sutler/carry"
)

// carry moves what corrections left below zero to the next month, by two events: one lifts this month to zero, the other lowers the next by as much.
// Both are events as any other, so the sum over both months stays what was reported and Verify needs no rule for them. An instance that does
// not run in the next month has no invoice that could take it: that is logged and written to the audit trail. It is part of a month's close.
func (l *Ledger) carry(ctx context.Context, a accountRow, month Period) error {
	if lowered, err := l.lowered(ctx, a.ID, month.From.UnixMicro(), month.To.UnixMicro()); err != nil || !lowered {
		return err
	}
	input, intervals, err := l.input(ctx, a, identity.Scope{}, month, month.To)
	if err != nil {
		return err
	}
	input.Rules = l.rules
	left, err := rating.Remainders(input)
	if err != nil {
		return fault.Unprocessable.Wrap(err, "What corrections left cannot be computed: %s.", err)
	}
	for _, r := range left {
		goes := false
		for _, i := range intervals {
			goes = goes || i.Instance == r.Instance && i.runsIn(monthOf(month.To))
		}
		if err := l.carryOne(ctx, a, month, r, goes); err != nil {
			return err
		}
	}
	return nil
}

func (l *Ledger) carryOne(ctx context.Context, a accountRow, month Period, r rating.Remainder, goes bool) error {
	below, err := r.Quantity.Decimal(mostDecimals)
	if err != nil {
		return fault.Unprocessable.Wrap(err, "What corrections of %s left of %s cannot be written.", r.Instance, r.Metric)
	}
	if !goes {
		l.log.Warn("a correction is larger than what it corrects, and no later invoice takes the rest", "account", a.ID, "instance", r.Instance, "metric", r.Metric, "rest", below)
		return l.audit.Append(ctx, audit.Entry{
			Who: "system", Action: "usage.lapse", Object: "instance/" + r.Instance, Detail: map[string]string{"metric": r.Metric, "rest": below.String(), "account": a.ID},
		})
	}
	above, err := money.FromInt(0).Sub(below)
	if err != nil {
		return fault.Unprocessable.Wrap(err, "What corrections of %s left of %s cannot be written.", r.Instance, r.Metric)
	}
	out := catalog.Event{Sender: carrier, Source: carried, Metric: r.Metric, Instance: r.Instance, Time: r.At, Value: above}
	out.ID = r.Instance + "/" + r.Metric + "/" + strconv.FormatInt(r.At.UnixMicro(), 10)
	in := out
	in.ID, in.Time, in.Value = out.ID+"/next", month.To, below
	rows := make([]eventRow, 2)
	for n, e := range []catalog.Event{out, in} {
		if rows[n], err = eventOf(e, a, l.clock.Now()); err != nil {
			return err
		}
	}
	_, err = l.insertEvents(ctx, rows)
	return err
}
