package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// previewInvoice shows what the running month would come to if it ended now.
func (p *Pages) previewInvoice(c echo.Context) error {
	v, err := p.visit(c, "Preview", "invoices")
	if err != nil {
		return err
	}
	one, err := p.Ledger.Preview(c.Request().Context(), v.who, v.org.ID)
	if err != nil {
		return err
	}
	page := invoicePage(v.frame, one)
	page.Preview, page.State = true, invoiceChip("preview")
	page.Command = command("sutler", "invoice", "preview", "--org", v.org.Name)
	return p.show(c, http.StatusOK, page)
}
