package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// revokeToken ends one of one's own tokens.
func (p *Pages) revokeToken(c echo.Context) error {
	v, err := p.visit(c, "Your account", "")
	if err != nil {
		return err
	}
	if err = p.Directory.RevokeToken(c.Request().Context(), v.who, c.Param("token")); err != nil {
		return err
	}
	return c.Redirect(http.StatusSeeOther, "/account?done=revoked")
}
