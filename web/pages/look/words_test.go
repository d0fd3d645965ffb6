package look_test

import (
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/web/pages/look"
)

func TestMoney(t *testing.T) {
	for _, c := range []struct{ currency, amount, want string }{
		{"EUR", "5", "€5.00"}, {"EUR", "1234567.5", "€1,234,567.50"}, {"USD", "-0.1", "−$0.10"}, {"CHF", "3.00", "CHF\u00a03.00"}, {"EUR", "0.00744000", "€0.00744"}, {"EUR", "", ""},
	} {
		if got := look.Money(c.currency, c.amount); got != c.want {
			t.Errorf("Money(%q, %q) = %q, want %q", c.currency, c.amount, got, c.want)
		}
	}
}

func TestAgo(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "just now", 30 * time.Second: "30 s ago", 5 * time.Minute: "5 min ago", 30 * time.Hour: "30 h ago", 72 * time.Hour: "3 d ago",
		90 * 24 * time.Hour: "24 Aug 2026", -72 * time.Hour: "25 Nov 2026",
	} {
		if got := look.Ago(now, now.Add(-d)); got != want {
			t.Errorf("Ago(%s) = %q, want %q", d, got, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0\u00a0B", 1023: "1,023\u00a0B", 1 << 29: "512\u00a0MiB", 3 << 29: "1.5\u00a0GiB", 10 << 30: "10\u00a0GiB"} {
		if got := look.Bytes(n); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct{ quantity, unit, want string }{
		{"1", "hour", "hour"}, {"563", "hour", "hours"}, {"0", "request", "requests"}, {"2", "query", "queries"}, {"2", "GiB", "GiB"}, {"2", "h", "h"}, {"3", "requests", "requests"}, {"3", "GiB hour", "GiB hour"}, {"2", "", ""},
	} {
		if got := look.Units(c.quantity, c.unit); got != c.want {
			t.Errorf("Units(%q, %q) = %q, want %q", c.quantity, c.unit, got, c.want)
		}
	}
}

func TestQuoteOf(t *testing.T) {
	dec := money.MustParse
	hourly := catalog.Rate{Name: "base", Model: "fixed", Amount: dec("5.00"), Per: "month", Hours: 672}
	metered := catalog.Rate{Name: "storage", Model: "per_unit", Metric: "storage_gib", Unit: dec("0.10"), Included: dec("5")}
	plan := func(r ...catalog.Rate) catalog.Plan {
		return catalog.Plan{Name: "p", Metrics: []catalog.Metric{{Name: "storage_gib", Unit: "GiB"}}, Prices: map[string][]catalog.Rate{"EUR": r}}
	}
	for _, c := range []struct {
		name       string
		plan       catalog.Plan
		big, small string
		metered    int
	}{
		{"free", catalog.Plan{}, "free", "", 0},
		{"hour-capped", plan(hourly), "€5", "a month at most, €0.00744/h", 0},
		{"monthly", plan(catalog.Rate{Model: "fixed", Amount: dec("12.50"), Per: "month"}), "€12.50", "a month", 0},
		{"by use", plan(metered), "by use", "no fixed price", 1},
		{"both", plan(hourly, metered), "€5", "a month at most, €0.00744/h", 1},
		{"once", plan(catalog.Rate{Model: "one_time", Amount: dec("1")}), "€1", "once", 0},
	} {
		got := look.PriceOf(c.plan, "")
		if got.Big != c.big || got.Small != c.small || len(got.Metered) != c.metered {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
	if got := look.QuoteOf(plan(metered), "").Metered[0]; got != "€0.10 per GiB, first 5 free" {
		t.Errorf("metered rate reads %q", got)
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		48 * time.Microsecond: "0.05\u00a0ms", 840 * time.Microsecond: "0.84\u00a0ms", 14_230 * time.Microsecond: "14.2\u00a0ms", 118 * time.Millisecond: "118\u00a0ms", 1340 * time.Millisecond: "1.3\u00a0s",
	} {
		if got := look.Span(d); got != want {
			t.Errorf("%s reads %q, want %q", d, got, want)
		}
	}
}
