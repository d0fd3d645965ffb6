package billing

import "context"

// priceRow is one version of a plan's rates. Currency "" is the plan itself.
type priceRow struct {
	Plan, Currency       string
	Version, ValidFrom   int64
	Metrics, Rates, Sold string
}

func (p priceRow) says(q priceRow) bool {
	return p.Metrics == q.Metrics && p.Rates == q.Rates && p.Sold == q.Sold
}

// prices gives all versions of plans in one currency, oldest first.
func (s store) prices(ctx context.Context, plans []string, currency string) ([]priceRow, error) {
	if len(plans) == 0 {
		return nil, nil
	}
	return read[priceRow](ctx, s, `SELECT * FROM prices WHERE plan IN ? AND currency = ? ORDER BY plan, version`, plans, currency)
}

// newestPrices gives a plan's newest version per currency.
func (s store) newestPrices(ctx context.Context, plan string) (map[string]priceRow, error) {
	rows, err := read[priceRow](ctx, s, `SELECT * FROM prices WHERE plan = ? ORDER BY version`, plan)
	out := map[string]priceRow{}
	for _, r := range rows {
		out[r.Currency] = r
	}
	return out, err
}

// insertPrice writes a version; one that another process wrote first is left as it is.
func (s store) insertPrice(ctx context.Context, p priceRow) error {
	_, err := s.exec(ctx, `INSERT INTO prices (plan, currency, version, valid_from, metrics, rates, sold) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		p.Plan, p.Currency, p.Version, p.ValidFrom, p.Metrics, p.Rates, p.Sold)
	return err
}
