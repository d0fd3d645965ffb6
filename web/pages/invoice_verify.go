package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/web/pages/look"
)

// verifyInvoice recomputes an invoice and shows what agreed. It changes nothing.
func (p *Pages) verifyInvoice(c echo.Context) error {
	v, page, err := p.visitInvoice(c)
	if err != nil {
		return err
	}
	found, err := p.Ledger.Verify(c.Request().Context(), v.who, page.Number)
	if err != nil {
		return err
	}
	page.Verified = &look.Verified{OK: found.OK}
	for _, one := range found.Checks {
		page.Verified.Checks = append(page.Verified.Checks, look.Checked{Name: one.Name, Note: one.Note, OK: one.OK})
	}
	return p.show(c, http.StatusOK, page)
}
