package broker

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

// readPatience is how long one instance's meter is waited for.
const readPatience = 5 * time.Second

// readAll reads the use of every instance for the market hour that ends at due. A provider that does not answer loses nothing: its counters
// are read as differences, so the next reading holds what this one missed.
func (b *Broker) readAll(ctx context.Context, _ string, due time.Time) (time.Time, error) {
	rows, err := b.readable(ctx)
	if err != nil {
		return time.Time{}, err
	}
	of := map[string][]instanceRow{}
	for _, r := range rows {
		of[r.Provider] = append(of[r.Provider], r)
	}
	h := &harvest{b: b, due: due}
	var all sync.WaitGroup
	for name, rows := range of { // one that is slow holds up nobody but itself
		all.Go(func() {
			if b.elsewhere(name) {
				b.readThere(ctx, name, due)
				return
			}
			b.readEach(ctx, rows, h)
		})
	}
	all.Wait()
	h.add(ctx)
	if ctx.Err() != nil {
		return time.Time{}, ctx.Err()
	}
	return due.Add(time.Hour), nil
}

// readEach reads the instances of one provider until it does not answer.
func (b *Broker) readEach(ctx context.Context, rows []instanceRow, h *harvest) {
	for _, r := range rows {
		u, answered, err := b.look(ctx, r)
		if err != nil {
			b.Log.Warn("readings", "provider", r.Provider, "instance", r.ID, "hour", h.due, "err", err)
		} else if len(u.shown) > 0 {
			h.add(ctx, u)
		}
		if !answered || ctx.Err() != nil {
			return
		}
	}
}

// readLast reads what an instance used between its last hour and its end. When it cannot, the rest of that hour is our cost.
func (b *Broker) readLast(ctx context.Context, j job) {
	if err := b.read(ctx, j.instance, instant(j.instance.StoppedAt)); err != nil {
		b.Log.Warn("readings: the last one", "provider", j.instance.Provider, "instance", j.instance.ID, "err", err)
	}
}

// readChange reads what an instance used on the plan that it leaves, so that this is charged by that plan's rates. When it cannot, the next hour's
// reading holds it, by the new ones.
func (b *Broker) readChange(ctx context.Context, j job, out outcome) {
	p, ok := b.Providers.Get(j.instance.Provider)
	if !ok || !p.Can(providers.Meters) {
		return
	}
	told := j.toldNext
	if out.progress.State != nil {
		told.State = out.progress.State
	}
	end := b.Clock.Now() // an hour that ends while the meter answers is the hourly reading's
	u, _, err := b.lookAs(ctx, p, told)
	if err == nil {
		err = b.recordUses(ctx, end, u)
	}
	if err != nil {
		b.Log.Warn("readings: at a change of plan", "provider", j.instance.Provider, "instance", j.instance.ID, "err", err)
	}
}

// read asks the provider for one instance and records what was used in the window that ends at end.
func (b *Broker) read(ctx context.Context, r instanceRow, end time.Time) error {
	u, _, err := b.look(ctx, r)
	if err != nil || len(u.shown) == 0 {
		return err
	}
	return b.recordUses(ctx, end, u)
}

// look asks the provider what one instance's meters show. It tells whether the provider answered.
func (b *Broker) look(ctx context.Context, r instanceRow) (u use, answered bool, err error) {
	p, ok := b.Providers.Get(r.Provider)
	if !ok || !p.Can(providers.Meters) {
		return u, true, nil
	}
	key := "reading/" + r.ID + "/" + r.Operation + "/" + string(r.State)
	if v, ok := tasks.Recall(ctx, key); ok {
		return v.(use), true, nil
	}
	_, plan, err := b.Plan(ctx, r.PlanID)
	if err != nil {
		return u, true, err
	}
	told, err := b.told(ctx, r, plan)
	if err != nil {
		return u, true, err
	}
	if u, answered, err = b.lookAs(ctx, p, told); err == nil {
		tasks.Remember(ctx, key, u)
	}
	return u, answered, err
}

// lookAs is look for an instance as the driver is told of it.
func (b *Broker) lookAs(ctx context.Context, p *providers.Provider, told providers.Instance) (u use, answered bool, err error) {
	asking, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	u = use{instance: told.ID, looked: wall()}
	err = b.ask(asking, func(ctx context.Context) (err error) { u.shown, err = p.Read(ctx, told); return err })
	k := fault.KindOf(err)
	return u, err == nil || k != fault.Unavailable && k != fault.Timeout, err // another error is this instance's own
}

// windows are the readings to keep of what one instance's meters showed, and the events they come to. An event's id is instance, metric and window, so
// it counts once; and of two readings that meet, the one that was looked at first counts nothing when it comes last: a counter that seems to go back would
// be counted twice. last is what was kept before, by metric; it is brought up to date.
func windows(u use, last map[string]readingRow, end time.Time) (kept []readingRow, events []catalog.Event, err error) {
	for _, s := range u.shown {
		counter := s.Metric
		if s.Source != "" {
			counter += "@" + s.Source
		}
		before, known := last[counter]
		if known && (before.At >= end.UnixMicro() || before.Looked > u.looked) {
			continue // this window is done, or a later look has it
		}
		value := s.Value
		if s.Type != "gauge" {
			if value, err = since(before, known, s); err != nil {
				return nil, nil, err
			}
		}
		last[counter] = readingRow{Instance: u.instance, Metric: counter, Epoch: s.Epoch, Value: s.Value.String(), At: end.UnixMicro(), Looked: u.looked}
		kept = append(kept, last[counter])
		if s.Type != "gauge" && value.IsZero() {
			continue
		}
		events = append(events, catalog.Event{
			Sender: "collector", Source: "sutler/readings", ID: u.instance + "/" + counter + "/" + strconv.FormatInt(end.UnixMicro(), 10),
			Metric: s.Metric, Instance: u.instance, Time: end.Add(-time.Microsecond), Value: value, // the window's last moment: it belongs to the month that ends there
		})
	}
	return kept, events, nil
}

// since is how far a counter went. A new epoch counts from zero; one that went back in the same epoch counts nothing.
func since(before readingRow, known bool, now providers.Reading) (money.Decimal, error) {
	if !known || before.Epoch != now.Epoch {
		return now.Value, nil
	}
	was, err := money.Parse(before.Value)
	if err != nil {
		return money.Decimal{}, err
	}
	d, err := now.Value.Sub(was)
	if err != nil || d.Sign() < 0 {
		return money.Decimal{}, err
	}
	return d, nil
}
