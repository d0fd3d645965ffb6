package client

import (
	"math/big"
	"strings"
)

// Price tells people what the plan costs in a currency: "€0.007/h, at most €5/month", "free".
func (p Plan) Price(currency string) string {
	rates, ok := p.Prices[currency]
	if !ok && !p.Free {
		return "not sold in " + currency
	}
	var parts []string
	for _, r := range rates {
		if text := r.price(currency, p.unit(r.Metric)); text != "" {
			parts = append(parts, text)
		}
	}
	if len(parts) == 0 {
		return "free"
	}
	return strings.Join(parts, " + ")
}

// unit is what one of a metric is called.
func (p Plan) unit(metric string) string {
	for _, m := range p.Metrics {
		if m.Name == metric && m.Unit != "" {
			return m.Unit
		}
	}
	return metric
}

func (r Rate) price(currency, unit string) string {
	switch r.Model {
	case "fixed":
		amount, ok := new(big.Rat).SetString(r.Amount)
		if !ok || amount.Sign() == 0 {
			return ""
		}
		if r.Hours == 0 {
			return Money(r.Amount, currency) + "/month"
		}
		hourly := new(big.Rat).Quo(amount, new(big.Rat).SetInt64(int64(r.Hours)))
		return Money(short(hourly), currency) + "/h, at most " + Money(r.Amount, currency) + "/month"
	case "one_time":
		return Money(r.Amount, currency) + " once"
	case "per_unit":
		text := Money(r.Unit, currency) + " per " + unit
		if included, ok := new(big.Rat).SetString(r.Included); ok && included.Sign() > 0 {
			text += " after " + plain(r.Included)
		}
		return text
	default:
		return r.Model + " by " + unit
	}
}

// short writes a small ratio with two significant digits, at least three decimals' worth.
func short(r *big.Rat) string {
	decimals := 3
	for limit := big.NewRat(1, 1000); r.Cmp(limit) < 0 && decimals < 9; decimals++ {
		limit.Quo(limit, big.NewRat(10, 1))
	}
	return r.FloatString(decimals)
}

// Money writes a price with its currency's sign: "€5", "€0.007", "CHF 12.50". Cents are dropped from whole prices alone.
func Money(price, currency string) string {
	price = plain(price)
	if whole, cents, found := strings.Cut(price, "."); found && len(cents) == 1 {
		price = whole + "." + cents + "0"
	}
	return Amount(price, currency)
}

// Amount writes a decimal with its currency's sign and every digit it has: "€5.00".
func Amount(amount, currency string) string {
	minus := ""
	if strings.HasPrefix(amount, "-") {
		minus, amount = "-", amount[1:]
	}
	switch currency {
	case "EUR":
		return minus + "€" + amount
	case "USD":
		return minus + "$" + amount
	case "GBP":
		return minus + "£" + amount
	default:
		return minus + currency + " " + amount
	}
}

// plain drops the zeros behind a decimal point that say nothing.
func plain(s string) string {
	if !strings.Contains(s, ".") {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
