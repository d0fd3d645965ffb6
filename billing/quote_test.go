package billing

import (
	"encoding/json"
	"testing"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestAQuoteIsRatedLikeAnInvoice(t *testing.T) {
	plan := catalog.Plan{ID: "p", Name: "small", Metrics: []catalog.Metric{{Name: "requests", Unit: "request", Aggregation: "sum", Kind: "delta"}}, Prices: map[string][]catalog.Rate{}}
	for currency, text := range map[string]string{
		"EUR": `[{"name":"Base","model":"fixed","amount":"5.00","per":"month","hours":672},{"name":"Calls","model":"per_unit","metric":"requests","unit":"0.001","included":"500"}]`,
		"USD": `[{"name":"Base","model":"fixed","amount":"31.00","per":"month","proration":"second"}]`,
	} {
		var rates []catalog.Rate
		if err := json.Unmarshal([]byte(text), &rates); err != nil {
			t.Fatal(err)
		}
		plan.Prices[currency] = rates
	}
	for _, c := range []struct {
		currency string
		hours    int
		calls    string
		want     string
	}{
		{"EUR", 730, "0", "5.00"},
		{"EUR", 336, "0", "2.50"},    // half of the hours that the month is capped at
		{"EUR", 730, "1500", "6.00"}, // a thousand beyond what is included
		{"EUR", 1, "400", "0.01"},    // 5/672, rounded once
		{"USD", 730, "0", "31.00"},   // a whole month
		{"USD", 24, "0", "1.00"},     // one of its 31 days
	} {
		q, err := QuoteOf(plan, c.currency, c.hours, map[string]money.Decimal{"requests": money.MustParse(c.calls), "of another plan": money.MustParse("9")})
		if err != nil || q.Total != c.want || q.Currency != c.currency {
			t.Errorf("%s for %d hours and %s calls: %+v, %v; want %s", c.currency, c.hours, c.calls, q, err, c.want)
		}
	}
	for hours, currency := range map[int]string{0: "EUR", 731: "EUR", -1: "USD"} {
		if _, err := QuoteOf(plan, currency, hours, nil); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d hours: %v", hours, err)
		}
	}
	if _, err := QuoteOf(plan, "CHF", 730, nil); fault.KindOf(err) != fault.Refused {
		t.Error("quoted in a currency that it is not sold in:", err)
	}
	if q, err := QuoteOf(catalog.Plan{ID: "f"}, "CHF", 730, nil); err != nil || q.Total != "0.00" {
		t.Error("a free plan:", q, err)
	}
}
