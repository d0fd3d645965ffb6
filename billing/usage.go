package billing

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/billing/rating"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Usage gives what each instance of a scope used in a window, by metric, in order of project, instance and metric. Late reports are in it:
// they were used, though no invoice has them.
func (l *Ledger) Usage(ctx context.Context, who identity.Principal, s identity.Scope, w Period) ([]UsageRow, error) {
	if err := may(who, identity.UsageRead, s); err != nil {
		return nil, err
	}
	if !w.From.Before(w.To) {
		return nil, fault.Invalid.Errorf("The window ends before it begins.")
	}
	intervals, err := l.intervalsIn(ctx, "", s, w.From.UnixMicro(), w.To.UnixMicro())
	if err != nil {
		return nil, err
	}
	var accounts []string
	for _, i := range intervals {
		accounts = append(accounts, i.Account)
	}
	slices.Sort(accounts)
	events, err := l.events(ctx, slices.Compact(accounts), w.From.UnixMicro(), w.To.UnixMicro(), true)
	if err != nil {
		return nil, err
	}
	metrics, err := l.metrics(ctx, intervals)
	if err != nil {
		return nil, err
	}
	return tally(intervals, events, metrics, w)
}

// tally sums events by instance and metric. An instance that changed its plan is shown under the last one.
func tally(intervals []intervalRow, events []eventRow, metrics map[string][]catalog.Metric, w Period) ([]UsageRow, error) {
	uses, err := usesOf(events)
	if err != nil {
		return nil, err
	}
	var out []UsageRow
	for n, i := range intervals {
		if n+1 < len(intervals) && intervals[n+1].Instance == i.Instance {
			continue
		}
		s, err := i.sold()
		if err != nil {
			return nil, err
		}
		mine := slices.Collect(func(yield func(rating.Use) bool) {
			for _, u := range uses {
				if u.Instance == i.Instance && !yield(u) {
					return
				}
			}
		})
		var done []string
		for _, m := range metrics[i.Plan] {
			if slices.Contains(done, m.Name) || !slices.ContainsFunc(mine, func(u rating.Use) bool { return u.Metric == m.Name }) {
				continue
			}
			done = append(done, m.Name)
			row, err := usageRow(s, m, mine, w)
			if err != nil {
				return nil, err
			}
			out = append(out, row)
		}
	}
	slices.SortStableFunc(out, func(a, b UsageRow) int {
		return strings.Compare(a.Project+"\x00"+a.InstanceName+"\x00"+a.Instance, b.Project+"\x00"+b.InstanceName+"\x00"+b.Instance)
	})
	return out, nil
}

func usageRow(s catalog.Snapshot, m catalog.Metric, uses []rating.Use, w Period) (UsageRow, error) {
	total, err := rating.Aggregate(m, uses)
	if err != nil {
		return UsageRow{}, fault.Internal.Wrap(err, "The usage of %s could not be added up.", s.Instance)
	}
	quantity, err := total.Decimal(shownDecimals)
	if err != nil {
		return UsageRow{}, fault.Internal.Wrap(err, "The usage of %s is beyond what a decimal holds.", s.Instance)
	}
	return UsageRow{
		Org: s.Org, Project: s.Project, Instance: s.Instance, InstanceName: s.InstanceName, Provider: s.Provider, Offering: s.OfferingName, Plan: s.PlanName,
		Metric: m.Name, Unit: m.Unit, Quantity: quantity, From: w.From, To: w.To,
	}, nil
}

// sold gives what was written down when the interval began.
func (i intervalRow) sold() (catalog.Snapshot, error) {
	var s catalog.Snapshot
	if err := json.Unmarshal([]byte(i.Snapshot), &s); err != nil {
		return s, fault.Internal.Wrap(err, "The ledger holds an interval of %s that cannot be read.", i.Instance)
	}
	return s, nil
}

func usesOf(events []eventRow) ([]rating.Use, error) {
	out := make([]rating.Use, 0, len(events))
	for _, e := range events {
		v, err := money.Parse(e.Value)
		if err != nil {
			return nil, fault.Internal.Wrap(err, "The ledger holds an event of %s that cannot be read.", e.Instance)
		}
		out = append(out, rating.Use{Instance: e.Instance, Metric: e.Metric, Key: e.Sender + "\x00" + e.Source + "\x00" + e.ID, At: instant(e.At), Value: v})
	}
	return out, nil
}
