package rating

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
)

// charge is what one rate comes to, not rounded. A zero quantity is no charge.
type charge struct {
	quantity, price, exact money.Ratio
	unit                   string
}

// fixed charges a monthly amount: by the hour with a cap, by time, or in full.
func (r rater) fixed(rate catalog.Rate, p *part) (charge, error) {
	amount := rate.Amount.Ratio()
	switch {
	case rate.Hours > 0:
		price, err := amount.Quo(money.Whole(int64(rate.Hours)))
		quantity := money.Whole(min(p.hours, int64(rate.Hours)))
		return charge{quantity, price, quantity.Mul(price), "hour"}, err
	case rate.Proration == "none":
		quantity := money.Whole(0)
		if p.live > 0 {
			quantity = money.Whole(1)
		}
		return charge{quantity, amount, quantity.Mul(amount), "month"}, nil
	case rate.Proration == "" || rate.Proration == "second":
		month := r.Period.To.Sub(r.Period.From)
		quantity, err := money.NewRatio(int64(p.live/time.Microsecond), int64(month/time.Microsecond))
		return charge{quantity, amount, quantity.Mul(amount), "month"}, err
	}
	return charge{}, fmt.Errorf("the proration %q is not built", rate.Proration)
}

// perUnit charges each unit of a metric beyond the included ones. A sum below zero charges nothing (see Remainders).
func perUnit(rate catalog.Rate, p *part) (charge, error) {
	i := slices.IndexFunc(p.price.Metrics, func(m catalog.Metric) bool { return m.Name == rate.Metric })
	if i < 0 {
		return charge{}, fmt.Errorf("the plan has no metric %q", rate.Metric)
	}
	metric := p.price.Metrics[i]
	used, err := Aggregate(metric, p.uses)
	if err != nil {
		return charge{}, err
	}
	beyond := used.Sub(rate.Included.Ratio())
	if beyond.Sign() < 0 {
		beyond = money.Ratio{}
	}
	price := rate.Unit.Ratio()
	return charge{beyond, price, beyond.Mul(price), metric.Unit}, nil
}

// Aggregate gives what a metric comes to over the uses that name it, by the metric's aggregation: sum, count, min, max, avg (of the values, each
// counting the same) or latest. Without any use it is 0.
func Aggregate(m catalog.Metric, uses []Use) (money.Ratio, error) {
	var out money.Ratio
	var n int64
	var latest Use
	for _, u := range uses {
		if u.Metric != m.Name {
			continue
		}
		v := u.Value.Ratio()
		switch {
		case m.Aggregation == "sum" || m.Aggregation == "avg":
			out = out.Add(v)
		case m.Aggregation == "count":
			out = money.Whole(n + 1)
		case m.Aggregation == "max" && (n == 0 || v.Cmp(out) > 0), m.Aggregation == "min" && (n == 0 || v.Cmp(out) < 0):
			out = v
		case m.Aggregation == "latest" && (n == 0 || first(u.At.Compare(latest.At), strings.Compare(u.Key, latest.Key)) > 0):
			out, latest = v, u
		case m.Aggregation != "max" && m.Aggregation != "min" && m.Aggregation != "latest":
			return out, fmt.Errorf("the aggregation %q is not built", m.Aggregation)
		}
		n++
	}
	if m.Aggregation == "avg" && n > 0 {
		return out.Quo(money.Whole(n))
	}
	return out, nil
}
