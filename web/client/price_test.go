package client_test

import (
	"testing"

	"github.com/sutlerhq/sutler/web/client"
)

func TestPriceForPeople(t *testing.T) {
	fixed := func(amount string, hours int) client.Rate {
		return client.Rate{Model: "fixed", Amount: amount, Per: "month", Hours: hours}
	}
	metered := client.Rate{Model: "per_unit", Metric: "requests", Unit: "0.0010", Included: "1000.0"}
	for name, c := range map[string]struct {
		plan     client.Plan
		currency string
		want     string
	}{
		"by the hour":  {client.Plan{Prices: map[string][]client.Rate{"EUR": {fixed("5.00", 672)}}}, "EUR", "€0.007/h, at most €5/month"},
		"tiny":         {client.Plan{Prices: map[string][]client.Rate{"EUR": {fixed("0.10", 672)}}}, "EUR", "€0.0001/h, at most €0.10/month"},
		"by the month": {client.Plan{Prices: map[string][]client.Rate{"USD": {fixed("12.5", 0)}}}, "USD", "$12.50/month"},
		"metered": {
			client.Plan{Prices: map[string][]client.Rate{"CHF": {fixed("3.00", 0), metered}}, Metrics: []client.Metric{{Name: "requests", Unit: "request"}}},
			"CHF", "CHF 3/month + CHF 0.001 per request after 1000",
		},
		"free":      {client.Plan{Free: true}, "EUR", "free"},
		"elsewhere": {client.Plan{Prices: map[string][]client.Rate{"USD": {fixed("1", 0)}}}, "EUR", "not sold in EUR"},
		"once":      {client.Plan{Prices: map[string][]client.Rate{"EUR": {{Model: "one_time", Amount: "1.00"}}}}, "EUR", "€1 once"},
	} {
		if got := c.plan.Price(c.currency); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if got := client.Amount("-1.50", "EUR"); got != "-€1.50" {
		t.Error(got)
	}
}
