package broker

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

// use is what the meters of one instance showed.
type use struct {
	instance string
	shown    []providers.Reading
	looked   int64 // wall time at which they were asked, microseconds UTC
}

// sheaf is of how many instances the use is recorded in one transaction.
const sheaf = 50

// harvest gathers what was read for an hour: a transaction for each instance would take longer than the reading.
type harvest struct {
	b   *Broker
	due time.Time
	mu  sync.Mutex
	got []use
}

// add records a sheaf when it is full; without any use it records the rest.
func (h *harvest) add(ctx context.Context, u ...use) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.got = append(h.got, u...); len(h.got) == 0 || len(u) > 0 && len(h.got) < sheaf {
		return
	}
	got := h.got
	h.got = nil
	slices.SortFunc(got, func(a, b use) int { return strings.Compare(a.instance, b.instance) }) // the order in which all lock them
	if len(got) > 1 && h.b.recordUses(ctx, h.due, got...) == nil {
		return
	}
	for _, u := range got { // one that cannot be recorded keeps none of the others out
		if err := h.b.recordUses(ctx, h.due, u); err != nil {
			h.b.Log.Warn("readings", "instance", u.instance, "hour", h.due, "err", err)
		}
	}
}

// recordUses stores what the meters of several instances showed and tells Meter, all or none, in one transaction and in few statements: hour after
// hour, each statement is asked for anew.
func (b *Broker) recordUses(ctx context.Context, end time.Time, uses ...use) error {
	ids := make([]string, len(uses))
	for n, u := range uses {
		ids[n] = u.instance
	}
	return b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		if err := b.lockInstances(ctx, ids); err != nil { // the hour's reading and the last one may meet
			return err
		}
		last, err := b.lastReadings(ctx, ids)
		if err != nil {
			return err
		}
		var kept []readingRow
		var events []catalog.Event
		for _, u := range uses {
			rows, used, err := windows(u, last[u.instance], end)
			if err != nil {
				return err
			}
			kept, events = append(kept, rows...), append(events, used...)
		}
		if err := b.saveReadings(ctx, kept); err != nil || len(events) == 0 {
			return err
		}
		return b.Meter.Record(ctx, events...)
	})
}
