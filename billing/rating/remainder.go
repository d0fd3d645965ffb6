package rating

import (
	"slices"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
)

// Remainder is how far below zero a summed metric came that an instance is charged for: a correction larger than the use it corrects. At lies in the
// time that it belongs to.
type Remainder struct {
	Instance, Metric string
	At               time.Time
	Quantity         money.Ratio // below zero
}

// Remainders gives what Rate charges as nothing although it is below zero, in the order of Rate's lines.
func Remainders(in Input) ([]Remainder, error) {
	var out []Remainder
	err := in.each(func(_ rater, p *part) error {
		for _, m := range p.price.Metrics {
			charged := slices.ContainsFunc(p.price.Rates, func(r catalog.Rate) bool { return r.Metric == m.Name })
			if !charged || m.Aggregation != "sum" {
				continue
			}
			total, err := Aggregate(m, p.uses)
			if err != nil {
				return err
			}
			if total.Sign() < 0 {
				out = append(out, Remainder{Instance: p.instance, Metric: m.Name, At: p.to.Add(-time.Microsecond), Quantity: total})
			}
		}
		return nil
	})
	return out, err
}
