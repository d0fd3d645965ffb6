package pages

import (
	"cmp"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/web/pages/look"
)

// checks are what a verification looks at, in people's words.
var checks = map[string]string{
	"hash": "Hash of the document", "previous": "Link to the invoice before it", "signature": "Signature of the hash",
	"lines": "Lines, computed again", "total": "Totals, computed again", "journal": "Entries in the journal", "state": "State, by what was posted",
}

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
		page.Verified.Checks = append(page.Verified.Checks, look.Checked{Name: cmp.Or(checks[one.Name], one.Name), Note: one.Note, OK: one.OK})
	}
	return p.show(c, http.StatusOK, page)
}
