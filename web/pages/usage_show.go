package pages

import (
	"math/big"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// usage shows what a project used and what it costs, as if the month ended now.
func (p *Pages) usage(c echo.Context) error {
	v, err := p.visit(c, "Usage & costs", "usage")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	lines, _, err := p.Ledger.Costs(ctx, v.who, v.scope())
	if err != nil {
		return err
	}
	costs := spending{true, v.frame.Currency, lines}
	page := look.Usage{
		Frame: v.frame, Month: v.frame.Now, Total: costs.sum(""), Lines: linesOf(v.frame.Currency, lines), Shares: shares(v.frame, costs),
		Usage: p.measured(ctx, v, ""), Command: command("sutler", "costs", "--org", v.org.Name, "--project", v.project.Name),
	}
	return p.show(c, http.StatusOK, page)
}

// shares says how much of the total each instance is, the dearest first.
func shares(f look.Frame, s spending) []look.Share {
	type part struct {
		look.Share
		sum *big.Rat
	}
	var parts []part
	total := new(big.Rat)
	for _, l := range s.lines {
		amount, err := money.Parse(l.Amount)
		if err != nil {
			continue
		}
		n := slices.IndexFunc(parts, func(p part) bool { return p.Instance == l.InstanceName })
		if n < 0 {
			parts = append(parts, part{look.Share{Instance: l.InstanceName, URL: f.Base() + "/instances/" + l.InstanceName, Provider: l.Provider, Amount: s.sum(l.Instance)}, new(big.Rat)})
			n = len(parts) - 1
		}
		parts[n].sum.Add(parts[n].sum, amount.Rat())
		total.Add(total, amount.Rat())
	}
	slices.SortStableFunc(parts, func(a, b part) int { return b.sum.Cmp(a.sum) })
	list := make([]look.Share, 0, len(parts))
	for _, one := range parts {
		if total.Sign() > 0 {
			one.Percent = percent(one.sum, total)
		}
		list = append(list, one.Share)
	}
	return list
}

// percent rounds to whole percents; it is for the eye, the amounts are exact.
func percent(part, whole *big.Rat) int {
	r := new(big.Rat).Mul(new(big.Rat).Quo(part, whole), big.NewRat(100, 1))
	n := new(big.Int).Div(new(big.Int).Add(new(big.Int).Mul(r.Num(), big.NewInt(2)), r.Denom()), new(big.Int).Mul(r.Denom(), big.NewInt(2)))
	return int(n.Int64())
}

// linesOf shows charges in their currency.
func linesOf(currency string, lines []billing.Line) []look.Line {
	list := make([]look.Line, 0, len(lines))
	for _, l := range lines {
		n, unit := quantity(l.Quantity, l.Unit)
		list = append(list, look.Line{
			Description: l.Description, Provider: l.Provider, Plan: l.Plan, Instance: l.InstanceName, Project: l.ProjectName,
			Quantity: n, Unit: unit, UnitPrice: look.Money(currency, l.UnitPrice), Amount: look.Money(currency, l.Amount), From: l.From, To: l.To,
		})
	}
	return list
}

// quantity shows an amount of a unit: sizes get a unit that people can read.
func quantity(n, unit string) (string, string) {
	if unit == "byte" || unit == "bytes" {
		if d, err := money.Parse(n); err == nil && d.Rat().IsInt() && d.Rat().Num().IsInt64() {
			return look.Bytes(d.Rat().Num().Int64()), ""
		}
	}
	return look.Quantity(n), look.Units(n, unit)
}
