package catalog

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
)

// What billing/rating computes today. Everything else is refused here, so that nothing is ever sold that could not be charged.
var (
	builtModels       = []string{"fixed", "per_unit"}
	builtProrations   = []string{"second", "none"}
	builtAggregations = map[string][]string{ // by kind of metric
		"delta": {"sum", "count", "min", "max"},
		"level": {"latest", "max", "min", "avg"},
	}
)

// ValidateRates lists everything that is wrong with a plan's rates, paths relative to the list ("0/amount").
// A problem of a metric is told at the path "metrics/NAME".
func ValidateRates(metrics []Metric, rates []Rate) []fault.Field {
	var out []fault.Field
	known := map[string]bool{}
	for _, m := range metrics {
		out = append(out, m.problems(known[m.Name])...)
		known[m.Name] = true
	}
	names := map[string]bool{}
	for i, r := range rates {
		wrong := func(field, format string, v ...any) {
			out = append(out, fault.Field{Path: fmt.Sprintf("%d/%s", i, field), Reason: fmt.Sprintf(format, v...)})
		}
		if r.Name == "" {
			wrong("name", "a rate needs a name; it stands on the invoice")
		} else if names[r.Name] {
			wrong("name", "the rate name %q is there twice", r.Name)
		}
		names[r.Name] = true
		switch r.Model {
		case "fixed":
			r.checkFixed(wrong)
		case "per_unit":
			r.checkPerUnit(wrong, known)
		default:
			wrong("model", "the model %q is not supported; supported are %s", r.Model, strings.Join(builtModels, ", "))
		}
	}
	return out
}

func (m Metric) problems(twice bool) []fault.Field {
	var out []fault.Field
	wrong := func(format string, v ...any) {
		out = append(out, fault.Field{Path: "metrics/" + m.Name, Reason: fmt.Sprintf(format, v...)})
	}
	if m.Name == "" {
		wrong("a metric needs a name")
	} else if twice {
		wrong("the metric name %q is there twice", m.Name)
	}
	allowed, ok := builtAggregations[m.kind()]
	if !ok {
		wrong("the kind %q of a metric is not known; use delta or level", m.Kind)
	} else if !slices.Contains(allowed, m.Aggregation) {
		wrong("a %s metric cannot be aggregated by %q; supported are %s", m.kind(), m.Aggregation, strings.Join(allowed, ", "))
	}
	return out
}

func (m Metric) kind() string {
	if m.Kind == "" {
		return "delta"
	}
	return m.Kind
}

type complaint func(field, format string, v ...any)

// bounded complains about a number below zero or not below most.
func bounded(wrong complaint, field string, n money.Decimal, most int64) {
	if n.Sign() < 0 {
		wrong(field, "%s is below zero", n)
	}
	if n.Cmp(money.FromInt(most)) >= 0 {
		wrong(field, "%s is too large; it must be below %d", n, most)
	}
}

func (r Rate) checkFixed(wrong complaint) {
	bounded(wrong, "amount", r.Amount, MostPrice)
	if r.Per != "month" {
		wrong("per", "%q is no supported period; supported is month", r.Per)
	}
	if r.Hours < 0 || r.Hours > 744 {
		wrong("hours", "%d hours are not between 1 and the 744 of the longest month", r.Hours)
	}
	if r.Hours > 0 && r.Proration != "" {
		wrong("proration", "a rate with hours is charged by the hour; leave one of the two out")
	}
	if r.Proration != "" && !slices.Contains(builtProrations, r.Proration) {
		wrong("proration", "the proration %q is not supported; supported are %s", r.Proration, strings.Join(builtProrations, ", "))
	}
	if r.When != "" && r.When != "arrears" {
		wrong("when", "charging in %q is not supported; supported is arrears", r.When)
	}
	for _, f := range []struct {
		name string
		used bool
	}{{"metric", r.Metric != ""}, {"unit", !r.Unit.IsZero()}, {"included", !r.Included.IsZero()}} {
		if f.used {
			wrong(f.name, "a fixed rate has no %s", f.name)
		}
	}
}

func (r Rate) checkPerUnit(wrong complaint, known map[string]bool) {
	if !known[r.Metric] {
		wrong("metric", "the plan has no metric %q", r.Metric)
	}
	bounded(wrong, "unit", r.Unit, MostPrice)
	bounded(wrong, "included", r.Included, MostQuantity)
	for _, f := range []struct {
		name string
		used bool
	}{
		{"amount", !r.Amount.IsZero()},
		{"per", r.Per != ""},
		{"hours", r.Hours != 0},
		{"proration", r.Proration != ""},
		{"when", r.When != ""},
	} {
		if f.used {
			wrong(f.name, "a per_unit rate has no %s", f.name)
		}
	}
}
