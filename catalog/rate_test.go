package catalog_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
)

var requests = catalog.Metric{Name: "requests", Unit: "request", Aggregation: "sum", Kind: "delta"}

func TestRatesThatAreSold(t *testing.T) {
	for name, text := range map[string]string{
		"hourly":   `[{"name":"base","model":"fixed","amount":"5.00","per":"month","hours":672}]`,
		"second":   `[{"name":"base","model":"fixed","amount":"5.00","per":"month","proration":"second"}]`,
		"none":     `[{"name":"base","model":"fixed","amount":"5.00","per":"month","proration":"none","when":"arrears"}]`,
		"per unit": `[{"name":"calls","model":"per_unit","metric":"requests","unit":"0.001","included":"500"}]`,
		"nothing":  `[]`,
	} {
		var rates []catalog.Rate
		if err := json.Unmarshal([]byte(text), &rates); err != nil {
			t.Fatal(name, err)
		}
		if got := catalog.ValidateRates([]catalog.Metric{requests}, rates); len(got) > 0 {
			t.Error(name, got)
		}
	}
}

func TestRatesListEveryProblemAtOnce(t *testing.T) {
	minus := money.MustParse("-1")
	got := catalog.ValidateRates(
		[]catalog.Metric{requests, requests, {Name: "disk", Aggregation: "sum", Kind: "level"}, {Name: "x", Aggregation: "unique"}},
		[]catalog.Rate{
			{Name: "a", Model: "graduated", Metric: "requests"},
			{Model: "fixed", Amount: minus, Per: "year", Hours: 900, Proration: "30_360", When: "advance", Metric: "requests"},
			{Name: "a", Model: "per_unit", Metric: "calls", Unit: minus, Included: minus, Hours: 3},
		})
	var paths []string
	for _, f := range got {
		paths = append(paths, f.Path)
	}
	want := []string{
		"metrics/requests", "metrics/disk", "metrics/x", "0/model",
		"1/name", "1/amount", "1/per", "1/hours", "1/proration", "1/proration", "1/when", "1/metric",
		"2/name", "2/metric", "2/unit", "2/included", "2/hours",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("got  %v\nwant %v", paths, want)
	}
	if !strings.Contains(got[3].Reason, "supported are fixed, per_unit") {
		t.Error(got[3].Reason)
	}
}

func TestRatesAreBounded(t *testing.T) {
	price, quantity := money.FromInt(catalog.MostPrice), money.FromInt(catalog.MostQuantity)
	got := catalog.ValidateRates([]catalog.Metric{requests}, []catalog.Rate{
		{Name: "base", Model: "fixed", Per: "month", Amount: price},
		{Name: "calls", Model: "per_unit", Metric: "requests", Unit: price, Included: quantity},
		{Name: "dear", Model: "per_unit", Metric: "requests", Unit: money.MustParse("999999999.99")},
	})
	var paths []string
	for _, f := range got {
		paths = append(paths, f.Path)
	}
	if want := []string{"0/amount", "1/unit", "1/included"}; !slices.Equal(paths, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRatesRefuseNumbersThatWentThroughAFloat(t *testing.T) {
	var r catalog.Rate
	if err := json.Unmarshal([]byte(`{"amount":5.10}`), &r); err == nil {
		t.Error("a bare number was taken:", r.Amount)
	}
}
