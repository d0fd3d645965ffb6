package pages

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// home leads to the marketplace of the project that was visited last.
func (p *Pages) home(c echo.Context) error {
	v, err := p.visit(c, "", "")
	if err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Market())
}

// signin says what Sutler is to those who are not signed in.
func (p *Pages) signin(c echo.Context) error {
	next := c.QueryParam("return_to")
	if !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.Contains(next, `\`) {
		next = "" // it would lead somewhere else
	}
	if identity.From(c.Request().Context()).Kind != identity.Nobody {
		return c.Redirect(http.StatusSeeOther, "/")
	}
	return p.show(c, http.StatusOK, look.SignIn{Frame: look.Frame{Title: "Sign in", Now: p.Clock.Now(), Dev: p.Dev}, Next: next})
}
