package osb

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
)

// prices reads what the upstream asks for a plan. Only monthly amounts in the market's currency become rates; for a plan that is not free
// and has none, the reason is given instead, and it is sold only when the market's own terms price it.
func (d *Driver) prices(p plan) (map[string][]catalog.Rate, string) {
	var rates []catalog.Rate
	for _, c := range p.About.Costs {
		amount, found, why := c.in(d.settings.Currency)
		switch {
		case why != "":
			return nil, why
		case c.nothing():
			continue
		case !found:
			return nil, fmt.Sprintf("its upstream asks for %s, and the market's currency is %s; give it rates", c, d.settings.Currency)
		case !monthly(c.Unit):
			return nil, fmt.Sprintf("its upstream asks for %s, which is no monthly price; give it rates", c)
		}
		name := "Base price"
		if len(rates) > 0 {
			name = fmt.Sprintf("Base price %d", len(rates)+1)
		}
		rates = append(rates, catalog.Rate{Name: name, Model: "fixed", Amount: amount, Per: "month"})
	}
	if len(rates) == 0 && p.Free != nil && !*p.Free {
		return nil, "its upstream says that it is not free, and not what it costs; give it rates"
	}
	if len(rates) == 0 {
		return nil, ""
	}
	return map[string][]catalog.Rate{d.settings.Currency: rates}, ""
}

func monthly(unit string) bool {
	return slices.Contains([]string{"monthly", "month", "per month", "/month", "mo"}, strings.ToLower(strings.TrimSpace(unit)))
}

// in gives the amount in a currency.
func (c cost) in(currency string) (amount money.Decimal, found bool, why string) {
	for name, text := range c.Amount {
		if !strings.EqualFold(name, currency) {
			continue
		}
		n, err := money.Parse(text.String())
		if err != nil || n.Sign() < 0 {
			return amount, false, "its upstream asks for an amount that is none; give it rates"
		}
		return n, true, ""
	}
	return amount, false, ""
}

// nothing tells whether it costs nothing in every currency.
func (c cost) nothing() bool {
	for _, text := range c.Amount {
		if n, err := money.Parse(text.String()); err != nil || !n.IsZero() {
			return false
		}
	}
	return true
}

// String is the cost for people, such as "5 USD (MONTHLY)".
func (c cost) String() string {
	var all []string
	for name, text := range c.Amount {
		all = append(all, text.String()+" "+strings.ToUpper(name))
	}
	slices.Sort(all)
	return fmt.Sprintf("%s (%s)", repeatable(strings.Join(all, " or "), nil), repeatable(c.Unit, nil))
}
