package pages

import (
	"math/big"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// invoice shows one invoice.
func (p *Pages) invoice(c echo.Context) error {
	_, page, err := p.visitInvoice(c)
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, page)
}

// visitInvoice finds the invoice that the address names, among those of the org's account.
func (p *Pages) visitInvoice(c echo.Context) (visit, look.Invoice, error) {
	v, err := p.visit(c, "Invoice "+c.Param("number"), "invoices")
	if err != nil {
		return v, look.Invoice{}, err
	}
	one, err := p.Ledger.Invoice(c.Request().Context(), v.who, c.Param("number"))
	if err != nil {
		return v, look.Invoice{}, err
	}
	if one.Account != v.org.Account {
		return v, look.Invoice{}, fault.NotFound.Errorf("There is no invoice %q.", c.Param("number"))
	}
	page := invoicePage(v.frame, one)
	page.Command = command("sutler", "invoice", "verify", one.Number)
	return v, page, nil
}

func invoicePage(f look.Frame, i billing.Invoice) look.Invoice {
	cash := func(s string) string { return look.Money(i.Currency, s) }
	page := look.Invoice{
		Frame: f, Number: i.Number, Account: payer(i), Seller: i.Seller, Currency: i.Currency, From: i.Period.From, To: i.Period.To, IssuedAt: i.IssuedAt,
		State: invoiceChip(i.State), Sent: i.Sent, Lines: linesOf(i.Currency, i.Lines), Subtotal: cash(i.Subtotal), Discount: some(i.Currency, i.Discount),
		Total: cash(i.Total), Credit: some(i.Currency, i.CreditApplied), Due: cash(i.Due), Hash: i.Hash, Previous: i.Previous, Signature: i.Signature,
	}
	for _, t := range i.Tax {
		page.Tax = append(page.Tax, look.TaxRow{Name: t.Name, Rate: percentage(t.Rate), Amount: cash(t.Amount)})
	}
	return page
}

func payer(i billing.Invoice) string {
	if i.AccountName != "" {
		return i.AccountName
	}
	return i.Account
}

// some is an amount unless it is nothing.
func some(currency, amount string) string {
	said := look.Money(currency, amount)
	if said == look.Money(currency, "0") {
		return ""
	}
	return said
}

// percentage shows a rate as people do: 0.19 is 19 %.
func percentage(rate string) string {
	d, err := money.Parse(rate)
	if err != nil {
		return rate
	}
	hundredfold := new(big.Rat).Mul(d.Rat(), big.NewRat(100, 1))
	digits, _ := hundredfold.FloatPrec() // a decimal's is finite
	return hundredfold.FloatString(digits) + "\u00a0%"
}
