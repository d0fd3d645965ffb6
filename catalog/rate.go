package catalog

import (
	"github.com/sutlerhq/sutler/catalog/money"
)

// Metric is a named quantity that a plan's use is measured by.
type Metric struct {
	Name        string `json:"name" yaml:"name"`
	Unit        string `json:"unit" yaml:"unit"`               // "request", "GiB", "byte"
	Aggregation string `json:"aggregation" yaml:"aggregation"` // sum count max min avg latest unique time_weighted
	Kind        string `json:"kind,omitempty" yaml:"kind"`     // delta (default; may be negative) or level
}

// The bounds of what can be priced and reported. A rate or a value at or beyond them is refused.
const (
	MostPrice    = 1_000_000_000         // of an amount or a unit price, in major units
	MostQuantity = 1_000_000_000_000_000 // of included units and of one reported value, either sign
)

// Rate is one price rule. Which fields it uses depends on its Model; ValidateRates names the ones that do not belong.
type Rate struct {
	Name      string        `json:"name" yaml:"name"`
	Model     string        `json:"model" yaml:"model"`                   // fixed one_time per_unit graduated volume package stairstep percentage graduated_percentage dynamic
	Amount    money.Decimal `json:"amount,omitzero" yaml:"amount"`        // fixed, one_time: in major units
	Per       string        `json:"per,omitempty" yaml:"per"`             // fixed: "month"
	Hours     int           `json:"hours,omitempty" yaml:"hours"`         // fixed: charged by the hour at amount/hours, the month capped at amount
	Proration string        `json:"proration,omitempty" yaml:"proration"` // fixed without hours: second day day_inclusive hour_started 30_360 none
	When      string        `json:"when,omitempty" yaml:"when"`           // fixed: arrears (default) or advance
	Metric    string        `json:"metric,omitempty" yaml:"metric"`       // metered models
	Unit      money.Decimal `json:"unit,omitzero" yaml:"unit"`            // per_unit: price of one unit
	Included  money.Decimal `json:"included,omitzero" yaml:"included"`    // units that cost nothing, per period
}
