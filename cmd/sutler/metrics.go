package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// meters are what the process counts while it works; docs/metrics.md says what each means. No label ever names a tenant.
type meters struct {
	registry  *prometheus.Registry
	ended     *prometheus.HistogramVec // operations, by verb, provider, state
	calls     *prometheus.HistogramVec // provider calls, by provider, verb
	failures  *prometheus.CounterVec   // failed ones, by provider, verb, kind of fault
	usage     *prometheus.CounterVec   // usage events, by what became of them
	requests  *prometheus.HistogramVec // HTTP requests, by method, route, code
	scrapeErr prometheus.Counter
}

// quick and patient are the upper bounds of what is measured, in seconds.
var (
	quick   = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
	patient = []float64{0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}
)

func newMeters() *meters {
	histogram := func(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	m := &meters{
		registry:  prometheus.NewRegistry(),
		ended:     histogram("sutler_operation_duration_seconds", "From the accepted order to the end of its operation.", patient, "verb", "provider", "state"),
		calls:     histogram("sutler_provider_call_duration_seconds", "Calls of a provider's driver.", quick, "provider", "verb"),
		failures:  counter("sutler_provider_errors_total", "Calls of a provider's driver that failed.", "provider", "verb", "kind"),
		usage:     counter("sutler_usage_events_total", "Usage events reported from outside.", "result"),
		requests:  histogram("sutler_http_request_duration_seconds", "Requests by route template.", quick, "method", "route", "code"),
		scrapeErr: prometheus.NewCounter(prometheus.CounterOpts{Name: "sutler_scrape_errors_total", Help: "Scrapes for which the store could not be read."}),
	}
	for _, result := range []string{"stored", "duplicate", "refused"} {
		m.usage.WithLabelValues(result)
	}
	b := thisBuild()
	about := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "sutler_build_info", Help: "Which sutler this is; always 1.",
		ConstLabels: prometheus.Labels{"version": b.Version, "revision": b.Revision, "go": b.Go},
	})
	about.Set(1)
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.ended, m.calls, m.failures, m.usage, m.requests, m.scrapeErr, about)
	return m
}

// handler shows everything to Prometheus.
func (m *meters) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

func (m *meters) operation(verb, provider, state string, took time.Duration) {
	m.ended.WithLabelValues(verb, provider, state).Observe(took.Seconds())
}

// expect begins the counters of failures at zero, for the failures that speak against a provider and for refusals: of a counter whose first value
// is 1 nobody sees that it grew. Other kinds of fault appear with their first failure.
func (m *meters) expect(list []*providers.Provider) {
	for _, p := range list {
		for _, verb := range p.Verbs() {
			for _, k := range []fault.Kind{fault.Unavailable, fault.Timeout, fault.ProviderFailed, fault.Refused} {
				m.failures.WithLabelValues(p.Name, verb, string(k))
			}
		}
	}
}

// provider gives what a provider tells of its calls to.
func (m *meters) provider(name string) func(verb string, took time.Duration, err error) {
	return func(verb string, took time.Duration, err error) {
		m.calls.WithLabelValues(name, verb).Observe(took.Seconds())
		if err != nil {
			m.failures.WithLabelValues(name, verb, string(fault.KindOf(err))).Inc()
		}
	}
}

func (m *meters) ingested(stored, duplicate, refused int) {
	m.usage.WithLabelValues("stored").Add(float64(stored))
	m.usage.WithLabelValues("duplicate").Add(float64(duplicate))
	m.usage.WithLabelValues("refused").Add(float64(refused))
}

func (m *meters) request(method, route string, code int, took time.Duration) {
	m.requests.WithLabelValues(method, route, strconv.Itoa(code)).Observe(took.Seconds())
}
