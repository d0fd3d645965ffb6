package broker

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// recent is the stretch that "now" stands for when latencies are told; what is older, up to a day, is what they are compared with.
const recent = 15 * time.Minute

// Latency is how far the backend of a binding is from its app, as the app's consumers measured it: until the first answer of its protocol.
type Latency struct {
	Binding, App, AppName, Alias string
	Now, Before                  latency.Summary // of the last quarter of an hour; of the day before that
	Regressed                    bool            // Now is clearly worse than Before
	MeasuredAt                   time.Time       // the last one, wall time
	Hosts                        []string        // where it was measured lately
}

// Latencies tells how far an instance is from each app that it is bound to. Bindings that nobody measured within a day are left out.
func (b *Broker) Latencies(ctx context.Context, who identity.Principal, instance string) ([]Latency, error) {
	if _, err := b.seenInstance(ctx, who, instance); err != nil {
		return nil, err
	}
	rows, err := b.listBindings(ctx, "instance = ? AND state IN ('ready', 'expiring')", instance)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	var list []Latency
	for _, r := range rows {
		measured, err := b.listLatencies(ctx, r.ID, now.Add(-latencyKept))
		if err != nil {
			return nil, err
		}
		if len(measured) == 0 || !identity.Can(who, identity.InstanceRead, r.scope()) {
			continue
		}
		l := told(measured, now.Add(-recent))
		l.Binding, l.App, l.AppName, l.Alias = r.ID, r.App, r.AppName, r.Alias
		hosts, err := b.listConsumers(ctx, "app = ? AND seen_at > ?", r.App, now.Add(-consumerMissed).UnixMicro())
		if err != nil {
			return nil, err
		}
		for _, h := range hosts {
			l.Hosts = append(l.Hosts, h.Host)
		}
		list = append(list, l)
	}
	return list, nil
}

// told sums measurements up: those since the moment, and those before it. When there are none since, the last of them stand for now.
func told(measured []latencyRow, since time.Time) Latency {
	var now, before []time.Duration
	for _, m := range measured {
		took := time.Duration(m.FirstUs) * time.Microsecond
		if m.At >= since.UnixMicro() {
			now = append(now, took)
		} else {
			before = append(before, took)
		}
	}
	if len(now) == 0 {
		now, before = before, nil
	}
	l := Latency{Now: latency.Summarize(now), Before: latency.Summarize(before), MeasuredAt: time.UnixMicro(measured[len(measured)-1].At).UTC()}
	l.Regressed = latency.Regressed(l.Before, l.Now)
	return l
}

// Near is where a provider can be measured from outside, before anything is bought.
type Near struct {
	Provider, Region string
	Target           latency.Target
}

// targetPatience is how long a provider may take to say where it can be measured.
const targetPatience = 2 * time.Second

// Targets says where the providers of what who may buy can be measured. Those that are not up, or that have nothing to measure, are left out.
func (b *Broker) Targets(ctx context.Context, who identity.Principal) ([]Near, error) {
	offers, err := b.Market(ctx, who)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, targetPatience)
	defer cancel()
	var names []string
	seen := map[string]bool{}
	for _, o := range offers {
		if !seen[o.Provider] && o.Status != providers.Down && o.Status != providers.Starting {
			seen[o.Provider] = true
			names = append(names, o.Provider)
		}
	}
	found := make([]*Near, len(names))
	var all sync.WaitGroup
	for n, name := range names {
		all.Go(func() {
			p, _ := b.Providers.Get(name)
			if p == nil || !p.Can(providers.Targets) {
				return
			}
			if t, err := p.Target(ctx, providers.Instance{Params: json.RawMessage("{}")}); err == nil && t.Address != "" {
				found[n] = &Near{Provider: name, Region: p.Region, Target: t}
			}
		})
	}
	all.Wait()
	list := make([]Near, 0, len(found))
	for _, f := range found {
		if f != nil {
			list = append(list, *f)
		}
	}
	return list, nil
}
