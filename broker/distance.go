package broker

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// How the market itself measures its providers: a few first answers each, every minute.
const (
	gaugeEvery    = time.Minute
	gaugeLook     = 5 * time.Second // how soon a provider that has come up is measured
	gaugeTries    = 3
	gaugePatience = 3 * time.Second
)

// Distance is how far a provider is from somewhere: until the first answer of its protocol.
type Distance struct {
	Provider   string
	App        string   // name of the app that measured it; empty: the market did
	Hosts      []string // where the app did, as far as that is still known
	Measured   latency.Summary
	MeasuredAt time.Time // the last one, wall time; Measured is of the quarter of an hour before it
}

// gauged keeps what this process has measured lately, by provider.
type gauged struct {
	sync.Mutex
	began   map[string]time.Time // the last measuring, answered or not
	samples map[string][]gauge
}

type gauge struct {
	at   time.Time
	took time.Duration
}

// due tells whether a provider shall be measured now, and takes it that it is.
func (g *gauged) due(provider string, now time.Time) bool {
	g.Lock()
	defer g.Unlock()
	if now.Sub(g.began[provider]) < gaugeEvery {
		return false
	}
	g.began[provider] = now
	return true
}

func (g *gauged) add(provider string, at time.Time, took []time.Duration) {
	g.Lock()
	defer g.Unlock()
	list := g.samples[provider]
	for _, d := range took {
		list = append(list, gauge{at, d})
	}
	g.samples[provider] = slices.DeleteFunc(list, func(s gauge) bool { return at.Sub(s.at) > recent })
}

// of sums up what was measured of a provider; not ok when nothing was within a day.
func (g *gauged) of(provider string, now time.Time) (d Distance, ok bool) {
	g.Lock()
	defer g.Unlock()
	list := g.samples[provider]
	if len(list) == 0 || now.Sub(list[len(list)-1].at) > latencyKept {
		return d, false
	}
	took := make([]time.Duration, 0, len(list))
	for _, s := range list {
		took = append(took, s.took)
	}
	return Distance{Provider: provider, Measured: latency.Summarize(took), MeasuredAt: list[len(list)-1].at.UTC()}, true
}

// keepGauging measures the providers until ctx ends.
func (b *Broker) keepGauging(ctx context.Context) {
	tick := time.NewTicker(gaugeLook)
	defer tick.Stop()
	for {
		b.gaugeAll(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// gaugeAll measures those providers that are due, all at once. Those that do not answer, have nothing to measure or are another node's are left out.
func (b *Broker) gaugeAll(ctx context.Context) {
	var all sync.WaitGroup
	for _, p := range b.Providers.All() {
		own, _ := p.Own()
		if own != providers.Up || p.Away || !p.Can(providers.Targets) || !b.gauged.due(p.Name, time.Now()) {
			continue
		}
		all.Go(func() {
			ctx, cancel := context.WithTimeout(ctx, gaugePatience)
			defer cancel()
			t, err := p.Target(ctx, providers.Instance{Params: json.RawMessage("{}")})
			if err != nil || t.Address == "" {
				return
			}
			if took, err := b.Measure(ctx, t, gaugeTries); err == nil {
				b.gauged.add(p.Name, time.Now(), took)
			}
		})
	}
	all.Wait()
}

// Distances tells how far the providers of what who may buy are: from this process of the market, and from the apps of a project (none when the scope is
// empty), as their consumers measured it. What nobody measured within a day is left out.
func (b *Broker) Distances(ctx context.Context, who identity.Principal, project identity.Scope) ([]Distance, error) {
	offers, err := b.Market(ctx, who)
	if err != nil {
		return nil, err
	}
	var list []Distance
	seen := map[string]bool{}
	for _, o := range offers {
		if d, ok := b.gauged.of(o.Provider, time.Now()); ok && !seen[o.Provider] {
			list = append(list, d)
		}
		seen[o.Provider] = true
	}
	if project.Project == "" || !identity.Can(who, identity.InstanceRead, project) {
		return list, nil
	}
	rows, err := b.listAway(ctx, project.Project, time.Now().Add(-latencyKept), recent)
	return append(list, fromApps(rows)...), err
}

// fromApps sums up what apps measured, by provider and app.
func fromApps(rows []awayRow) (list []Distance) {
	for len(rows) > 0 {
		n := slices.IndexFunc(rows, func(r awayRow) bool { return r.Provider != rows[0].Provider || r.AppName != rows[0].AppName })
		if n < 0 {
			n = len(rows)
		}
		d := Distance{Provider: rows[0].Provider, App: rows[0].AppName}
		var took []time.Duration
		var last int64
		for _, r := range rows[:n] {
			took, last = append(took, time.Duration(r.FirstUs)*time.Microsecond), max(last, r.At)
			if r.Host != "" && !slices.Contains(d.Hosts, r.Host) {
				d.Hosts = append(d.Hosts, r.Host)
			}
		}
		d.Measured, d.MeasuredAt = latency.Summarize(took), time.UnixMicro(last).UTC()
		list, rows = append(list, d), rows[n:]
	}
	return list
}
