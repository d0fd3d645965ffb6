package pages

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/problem"
)

// createToken makes an API token and shows its secret in the answer, once.
func (p *Pages) createToken(c echo.Context) error {
	v, err := p.visit(c, "Your account", "")
	if err != nil {
		return err
	}
	made, secret, err := p.Directory.CreateToken(c.Request().Context(), v.who, c.FormValue("name"), nil, time.Time{})
	if err != nil && !told(err) {
		return err
	}
	_, page, shown := p.accountPage(c)
	if shown != nil {
		return shown
	}
	if err != nil {
		page.Name.Value, page.Name.Error = c.FormValue("name"), fault.Of(err).Text
		return p.show(c, problem.Status(fault.KindOf(err)), page)
	}
	page.Secret, page.Made = secret, made.Name
	return p.show(c, http.StatusOK, page)
}
