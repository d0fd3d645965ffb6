package billing

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// The market's own reports.
const (
	collector = "collector" // their sender
	readings  = "sutler/readings"
)

// Record stores events from inside (broker's readings), each once, all or none. The same event again changes nothing; the same id with other content
// is fault.Conflict. Several in one call cost far less than one by one.
func (l *Ledger) Record(ctx context.Context, events ...catalog.Event) error {
	events = slices.Clone(events)
	for n := range events {
		events[n].Sender = cmp.Or(events[n].Sender, collector)
	}
	return l.db.Tx(ctx, func(ctx context.Context) error {
		_, err := l.record(ctx, events, "")
		return err
	})
}

// Ingest stores a batch reported from outside, all or nothing: who must be the provider that sells each instance, or the market's own collector.
// The same event twice is counted as Duplicate; the same id with other content is fault.Conflict. An instance that somebody else sells is fault.NotFound,
// like one that is not there. What belongs to a month that is closed is stored and flagged, and changes no invoice. A time in a month in which the
// instance did not run is fault.Unprocessable: no invoice would ever show it. So is a value that makes the month's charges larger than an invoice
// may be; a value at or beyond catalog.MostQuantity is fault.Invalid.
func (l *Ledger) Ingest(ctx context.Context, who identity.Principal, events []catalog.Event) (Accepted, error) {
	provider, err := reporter(who)
	if err != nil {
		return Accepted{}, err
	}
	sender := collector
	if provider != "" {
		sender = "provider/" + provider
	}
	// Accounts are locked in one order, so that two batches never wait for each other.
	events = slices.Clone(events)
	slices.SortStableFunc(events, func(a, b catalog.Event) int { return strings.Compare(a.Instance, b.Instance) })
	for n := range events {
		events[n].Sender = sender
	}
	var out Accepted
	err = l.db.Tx(ctx, func(ctx context.Context) error {
		stored, err := l.record(ctx, events, provider)
		out = Accepted{Stored: stored, Duplicate: len(events) - stored}
		return err
	})
	if err != nil {
		return Accepted{}, err
	}
	return out, nil
}

// reporter gives the name of the provider that reports; "" is the market itself.
func reporter(who identity.Principal) (string, error) {
	if who.Kind == identity.System {
		return "", nil
	}
	if identity.Can(who, identity.UsageReport, identity.Scope{}) {
		for _, g := range who.Grants {
			if g.Role == identity.RoleProvider && g.Provider != "" {
				return g.Provider, nil
			}
		}
	}
	return "", fault.Forbidden.Errorf("Only the provider that sells an instance may report its usage.").WithHint("Use a provider's key.")
}

// at gives the interval that a moment belongs to: the last that began before it, else the first.
func at(intervals []intervalRow, when time.Time) intervalRow {
	found := intervals[0]
	for _, i := range intervals {
		if i.StartedAt <= when.UnixMicro() {
			found = i
		}
	}
	return found
}

// metrics gives the metrics of each plan, newest versions first, so that the first of a name is what it means today.
func (l *Ledger) metrics(ctx context.Context, intervals []intervalRow) (map[string][]catalog.Metric, error) {
	rows, err := l.prices(ctx, plansOf(intervals), "")
	if err != nil {
		return nil, err
	}
	out := map[string][]catalog.Metric{}
	for _, r := range slices.Backward(rows) {
		var m []catalog.Metric
		if err := json.Unmarshal([]byte(r.Metrics), &m); err != nil {
			return nil, fault.Internal.Wrap(err, "The price book holds metrics of %s that cannot be read.", r.Plan)
		}
		out[r.Plan] = append(out[r.Plan], m...)
	}
	return out, nil
}

func plansOf(intervals []intervalRow) []string {
	var plans []string
	for _, i := range intervals {
		plans = append(plans, i.Plan)
	}
	slices.Sort(plans)
	return slices.Compact(plans)
}

func eventOf(e catalog.Event, account accountRow, now time.Time) (eventRow, error) {
	dimensions, err := json.Marshal(e.Dimensions) // keys come out sorted
	if err != nil || len(dimensions) > longestTags {
		return eventRow{}, fault.Invalid.Errorf("The dimensions of event %q are over %d bytes.", e.ID, longestTags)
	}
	content, err := json.Marshal([]any{e.Metric, e.Instance, e.Time.UnixMicro(), e.Value.Rat().RatString(), string(dimensions)})
	if err != nil {
		return eventRow{}, fault.Internal.Wrap(err, "An event could not be written.")
	}
	sum := sha256.Sum256(content)
	row := eventRow{
		Sender: e.Sender, Source: e.Source, ID: e.ID, Hash: hex.EncodeToString(sum[:]), Account: account.ID, Instance: e.Instance, Metric: e.Metric,
		At: e.Time.UnixMicro(), Value: e.Value.String(), Dimensions: string(dimensions), StoredAt: now.UnixMicro(),
	}
	if row.At < account.ClosedTo {
		row.Late = 1
	}
	return row, nil
}
