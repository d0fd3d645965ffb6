package look

import (
	"math/big"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
)

// Currency picks the one to show a plan's prices in: the wanted one, else the euro, else the first by name.
func Currency(prices map[string][]catalog.Rate, want string) string {
	for _, c := range []string{want, "EUR"} {
		if _, ok := prices[c]; ok {
			return c
		}
	}
	all := make([]string, 0, len(prices))
	for c := range prices {
		all = append(all, c)
	}
	slices.Sort(all)
	return strings.Join(all[:min(1, len(all))], "")
}

// PriceOf says a plan's price in words.
func PriceOf(p catalog.Plan, want string) Price {
	q := QuoteOf(p, want)
	price := Price{Metered: q.Metered}
	switch {
	case q.Free:
		price.Big = "free"
	case q.Monthly == "" && q.Once != "":
		price.Big, price.Small, price.Unit = q.Once, "once", "once"
	case q.Monthly == "":
		price.Big, price.Small = "by use", "no fixed price"
	case q.Hourly != "":
		price.Big, price.Small, price.Unit = q.Monthly, "a month at most, "+q.Hourly+"/h", "a month"
	default:
		price.Big, price.Small, price.Unit = q.Monthly, "a month", "a month"
	}
	return price
}

// QuoteOf says what a plan would cost: at most in a month, by the hour, once, and by use.
func QuoteOf(p catalog.Plan, want string) Quote {
	currency := Currency(p.Prices, want)
	rates := p.Prices[currency]
	q := Quote{Plan: p.Name, Free: p.Free()}
	monthly, hourly, once := new(big.Rat), new(big.Rat), new(big.Rat)
	fixed, byHour := false, true
	for _, r := range rates {
		switch r.Model {
		case "fixed":
			fixed = true
			monthly.Add(monthly, r.Amount.Rat())
			byHour = byHour && r.Hours > 0
			if r.Hours > 0 {
				hourly.Add(hourly, new(big.Rat).Quo(r.Amount.Rat(), big.NewRat(int64(r.Hours), 1)))
			}
		case "one_time":
			once.Add(once, r.Amount.Rat())
		default:
			q.Metered = append(q.Metered, metered(p, r, currency))
		}
	}
	if fixed {
		q.Monthly = trimmed(currency, exactly(monthly))
	}
	if fixed && byHour {
		q.Hourly = trimmed(currency, significant(hourly, 3))
	}
	if once.Sign() != 0 {
		q.Once = trimmed(currency, exactly(once))
	}
	return q
}

// Monthly is the sum of a plan's fixed rates, for comparing; plans without any come first.
func Monthly(p catalog.Plan, want string) *big.Rat {
	sum := new(big.Rat)
	for _, r := range p.Prices[Currency(p.Prices, want)] {
		if r.Model == "fixed" {
			sum.Add(sum, r.Amount.Rat())
		}
	}
	return sum
}

// Differs says what a month of another plan costs more or less, by the fixed rates: "+€43 a month".
func Differs(now, then catalog.Plan, want string) string {
	currency := Currency(then.Prices, want)
	d := new(big.Rat).Sub(Monthly(then, want), Monthly(now, want))
	switch {
	case len(now.Prices) > 0 && len(then.Prices) > 0 && Currency(now.Prices, want) != currency:
		return ""
	case currency == "":
		currency = Currency(now.Prices, want)
	}
	switch d.Sign() {
	case 0:
		return "the same a month"
	case 1:
		return "+" + trimmed(currency, exactly(d)) + " a month"
	}
	return trimmed(currency, exactly(d)) + " a month"
}

// metered says one rate by use: "€0.10 per GiB, first 5 free".
func metered(p catalog.Plan, r catalog.Rate, currency string) string {
	unit := r.Metric
	for _, m := range p.Metrics {
		if m.Name == r.Metric && m.Unit != "" {
			unit = m.Unit
		}
	}
	said := "by " + strings.ReplaceAll(r.Metric, "_", " ")
	if r.Model == "per_unit" {
		said = trimmed(currency, r.Unit.String()) + " per " + unit
	}
	if !r.Included.IsZero() {
		said += ", first " + Quantity(r.Included.String()) + " free"
	}
	return said
}

// exactly writes a ratio that came from decimals without losing a digit.
func exactly(r *big.Rat) string {
	n, ok := r.FloatPrec()
	if !ok {
		n = 6
	}
	return r.FloatString(n)
}

// LimitsOf puts a plan's limits into words, by name.
func LimitsOf(l catalog.Limits) []Limit {
	out := make([]Limit, 0, len(l))
	for name, n := range l {
		base, bytes := strings.CutSuffix(name, "_bytes")
		value := Quantity(big.NewInt(n).String())
		if bytes {
			value = Bytes(n)
		}
		if n < 0 {
			value = "no limit"
		}
		out = append(out, Limit{Name: Sentence(base), Value: value})
	}
	slices.SortFunc(out, func(a, b Limit) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Sentence makes words of a name: "max_payload" is "Max payload".
func Sentence(name string) string {
	s := strings.TrimSpace(strings.NewReplacer("_", " ", "-", " ", ".", " ").Replace(name))
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
