package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/providers"
)

// gauges are read when somebody looks: what stands in the store, and how the providers are.
type gauges struct{ n *node }

// scrapeTime bounds what a scrape asks of the store.
const scrapeTime = 5 * time.Second

var (
	gaugeOperations = gauge("sutler_operations", "Operations with work left, by state, verb and provider.", "state", "verb", "provider")
	gaugeStuck      = gauge("sutler_operations_stuck", "Operations that need a person.", "provider")
	gaugeDue        = gauge("sutler_queue_due", "Tasks that are due and that nobody runs.")
	gaugeOldest     = gauge("sutler_queue_oldest_seconds", "How long the operation that waits longest has been due.")
	gaugeProvider   = gauge("sutler_provider_status", "1 for the status that the provider has.", "provider", "status")
	gaugeUnwell     = gauge("sutler_instances_unwell", "Live instances that are not well, by what is wrong with them.", "provider", "health")
	gaugeUnknown    = gauge("sutler_backend_unknown", "What the last round found at a provider's backend that the store has never heard of.", "provider")
	gaugeStore      = gauge("sutler_store_seconds", "How long the store took to answer this scrape.")
	gaugeStoreUp    = gauge("sutler_store_up", "Whether the store answered this scrape.")
)

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe names the series.
func (gauges) Describe(c chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{gaugeOperations, gaugeStuck, gaugeDue, gaugeOldest, gaugeProvider, gaugeUnwell, gaugeUnknown, gaugeStore, gaugeStoreUp} {
		c <- d
	}
}

// Collect reads them.
func (g gauges) Collect(c chan<- prometheus.Metric) {
	show := func(d *prometheus.Desc, v float64, labels ...string) {
		c <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	for _, p := range g.n.providers.All() {
		for _, s := range []providers.Status{providers.Starting, providers.Up, providers.Down, providers.Cordoned} {
			show(gaugeProvider, is(p.Status() == s), p.Name, string(s))
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTime)
	defer cancel()
	began := time.Now()
	err := g.n.db.Ping(ctx)
	show(gaugeStore, time.Since(began).Seconds())
	show(gaugeStoreUp, is(err == nil))
	if err == nil {
		err = g.work(ctx, show)
	}
	if err != nil {
		g.n.meters.scrapeErr.Inc()
	}
}

func (g gauges) work(ctx context.Context, show func(*prometheus.Desc, float64, ...string)) error {
	tallies, oldest, err := g.n.broker.Tally(ctx)
	if err != nil {
		return err
	}
	stuck := map[string]int64{}
	for _, p := range g.n.providers.All() {
		stuck[p.Name] = 0
	}
	for _, t := range tallies {
		show(gaugeOperations, float64(t.Count), t.State, t.Verb, t.Provider)
		stuck[t.Provider] += t.Stuck
	}
	for provider, n := range stuck {
		show(gaugeStuck, float64(n), provider)
	}
	show(gaugeOldest, oldest.Seconds())
	due, err := g.n.engine.Due(ctx)
	if err != nil {
		return err
	}
	show(gaugeDue, float64(due))
	return g.health(ctx, show)
}

func (g gauges) health(ctx context.Context, show func(*prometheus.Desc, float64, ...string)) error {
	conditions, unknown, err := g.n.broker.Conditions(ctx)
	if err != nil {
		return err
	}
	unwell := map[[2]string]int64{}
	for _, p := range g.n.providers.All() { // a zero, too, says something: an alert on a series that is not there never fires
		unwell[[2]string{p.Name, broker.Degraded}], unwell[[2]string{p.Name, broker.OverLimit}] = 0, 0
		if _, told := unknown[p.Name]; !told {
			show(gaugeUnknown, 0, p.Name)
		}
	}
	for _, c := range conditions {
		unwell[[2]string{c.Provider, c.Health}] += c.Count
	}
	for of, n := range unwell {
		show(gaugeUnwell, float64(n), of[0], of[1])
	}
	for provider, n := range unknown {
		show(gaugeUnknown, float64(n), provider)
	}
	return nil
}

func is(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
