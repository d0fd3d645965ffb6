package broker

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// How often a node says how its providers are, how often others look, and after how long without a word it counts as away.
const (
	reportEvery = 5 * time.Second
	heedEvery   = time.Second
	nodeAway    = 20 * time.Second
)

// kindReadThere is the task by which a node reads the meters of its providers for the calendar, which another process runs.
const kindReadThere = "readings"

// How long the calendar waits for a node's readings, and after how long they are no longer those of their hour.
const (
	readThereTime = 15 * time.Second
	readThereLate = 10 * time.Minute
)

// elsewhere tells whether only another node may call a provider.
func (b *Broker) elsewhere(provider string) bool {
	p, ok := b.Providers.Get(provider)
	return ok && p.Away
}

// nodeOf names the node that an instance's work is for; "" when any does it.
func (b *Broker) nodeOf(ctx context.Context, instance string) (string, error) {
	bound := false
	for _, p := range b.Providers.All() {
		bound = bound || p.Node != ""
	}
	if !bound {
		return "", nil
	}
	name, err := b.providerOf(ctx, instance)
	if err != nil {
		return "", err
	}
	if p, ok := b.Providers.Get(name); ok {
		return p.Node, nil
	}
	return "", nil
}

// shareStatus says in the store how this node's providers are, and heeds what other nodes say of theirs.
func (b *Broker) shareStatus(ctx context.Context) error {
	for _, p := range b.Providers.All() {
		if p.Node == "" || p.Away {
			continue
		}
		if err := b.reportStatus(ctx, p); err != nil {
			return err
		}
		if err := b.reclaim(ctx, p); err != nil {
			return err
		}
	}
	return b.heedStatus(ctx)
}

func (b *Broker) reportStatus(ctx context.Context, p *providers.Provider) error {
	status, why := p.Own()
	return b.DB.Tx(ctx, func(ctx context.Context) error {
		return b.saveReport(ctx, reportRow{Provider: p.Name, Node: p.Node, Status: string(status), Why: why})
	})
}

// reclaim wakes the work of a provider's instances and their backups for its node, should it have been another's.
func (b *Broker) reclaim(ctx context.Context, p *providers.Provider) error {
	ids, err := b.busyOf(ctx, p.Name)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := b.DB.Tx(ctx, func(ctx context.Context) error { return b.wake(ctx, id) }); err != nil {
			return err
		}
	}
	backups, err := b.unfinishedBackups(ctx, p.Name)
	for _, row := range backups {
		if err := b.DB.Tx(ctx, func(ctx context.Context) error { return b.wakeBackup(ctx, row) }); err != nil {
			return err
		}
	}
	return err
}

func (b *Broker) heedStatus(ctx context.Context) error {
	rows, err := b.reports(ctx)
	if err != nil {
		return err
	}
	for _, r := range rows {
		p, ok := b.Providers.Get(r.Provider)
		if !ok || !p.Away || p.Node != r.Node {
			continue
		}
		if silent := time.Duration(r.Age) * time.Microsecond; silent > nodeAway {
			p.Tell(providers.Down, fmt.Sprintf("Its node %s has not reported for %s.", r.Node, silent.Round(time.Second)))
			continue
		}
		p.Tell(providers.Status(r.Status), r.Why)
	}
	return nil
}

// keepStatus shares the providers' status until ctx ends: at once when it changed, and now and then, to show that this node lives.
func (b *Broker) keepStatus(ctx context.Context) {
	tick := time.NewTicker(heedEvery)
	defer tick.Stop()
	said, at := map[string]providers.Status{}, map[string]time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		heed := false
		for _, p := range b.Providers.All() {
			heed = heed || p.Away
			now, _ := p.Own()
			if p.Node == "" || p.Away || said[p.Name] == now && time.Since(at[p.Name]) < reportEvery {
				continue
			}
			if err := b.reportStatus(ctx, p); err == nil { // a store that is away is said by others
				said[p.Name], at[p.Name] = now, time.Now()
			}
		}
		if heed {
			_ = b.heedStatus(ctx) // the same
		}
	}
}

// readingAt names a provider's meters at the end of a market hour.
type readingAt struct {
	Provider string
	Due      int64 // market time, microseconds UTC
}

// readThere lets a provider's node read its meters, and waits for that as long as a provider's answer may take: what comes later in the
// calendar reckons with them. A node that is away loses nothing, like a provider that does not answer.
func (b *Broker) readThere(ctx context.Context, provider string, due time.Time) {
	p, ok := b.Providers.Get(provider)
	if !ok || !answers(p) {
		b.Log.Warn("readings", "provider", provider, "hour", due, "err", "its node is away")
		return
	}
	key := kindReadThere + "/" + provider + "/" + strconv.FormatInt(due.UnixMicro(), 10)
	err := b.DB.Tx(ctx, func(ctx context.Context) error {
		return b.Tasks.Enqueue(ctx, kindReadThere, key, readingAt{Provider: provider, Due: due.UnixMicro()}, p.Node)
	})
	for end := time.Now().Add(readThereTime); err == nil; {
		var pending bool
		if pending, err = b.Tasks.Pending(ctx, key); err != nil || !pending {
			break
		}
		if time.Now().After(end) {
			err = fault.Timeout.Errorf("The node %s has not read its meters in time.", p.Node)
			break
		}
		select {
		case <-ctx.Done():
			err = ctx.Err()
		case <-time.After(otherProcesses):
		}
	}
	if err != nil {
		b.Log.Warn("readings", "provider", provider, "hour", due, "err", err)
	}
}

// readHere reads the meters of one of this node's providers.
func (b *Broker) readHere(ctx context.Context, r readingAt) error {
	due := instant(r.Due)
	if b.elsewhere(r.Provider) || b.Clock.Now().Sub(due) > readThereLate {
		return nil // the next hour's reading holds what this one missed
	}
	rows, err := b.readableOf(ctx, r.Provider)
	if err != nil {
		return err
	}
	h := &harvest{b: b, due: due}
	b.readEach(ctx, rows, h)
	h.add(ctx)
	return ctx.Err()
}
