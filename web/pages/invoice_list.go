package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/web/pages/look"
)

// invoices lists what the org's account was invoiced, and what the running month comes to.
func (p *Pages) invoices(c echo.Context) error {
	v, err := p.visit(c, "Invoices", "invoices")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, err := p.Ledger.Invoices(ctx, v.who, v.org.ID)
	if err != nil {
		return err
	}
	running, err := p.Ledger.Preview(ctx, v.who, v.org.ID)
	if err != nil {
		return err
	}
	base := "/billing/" + v.org.Name + "/invoices/"
	page := look.Invoices{Frame: v.frame, PreviewURL: base + "preview", Running: look.Money(running.Currency, running.Total), Command: command("sutler", "invoices", "--org", v.org.Name)}
	for _, one := range list {
		page.Rows = append(page.Rows, look.InvoiceRow{
			Number: one.Number, URL: base + one.Number, Total: look.Money(one.Currency, one.Total), Period: one.Period.From, IssuedAt: one.IssuedAt,
			State: invoiceChip(one.State), Sent: one.Sent,
		})
	}
	return p.show(c, http.StatusOK, page)
}

func invoiceChip(state string) look.Chip {
	tone := map[string]string{"preview": "note", "open": "care", "paid": "good", "void": "off"}[state]
	return look.Chip{Tone: tone, Word: state}
}
