package rating

import "github.com/sutlerhq/sutler/catalog/money"

// Tax is a rate put on an invoice's subtotal: Rate 0.19 is 19 %.
type Tax struct {
	Name string
	Rate money.Decimal
}

// Taxes gives each tax of a subtotal, rounded once each.
func Taxes(subtotal money.Amount, taxes []Tax, how money.Rounding) ([]money.Amount, error) {
	exact, err := subtotal.Ratio()
	if err != nil {
		return nil, err
	}
	out := make([]money.Amount, len(taxes))
	for i, t := range taxes {
		if out[i], err = money.Round(exact.Mul(t.Rate.Ratio()), subtotal.Currency, how); err != nil {
			return nil, err
		}
	}
	return out, nil
}
