package pages

import (
	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// operator lets only those in who may do a in the whole market; to others these pages are not there.
func (p *Pages) operator(c echo.Context, a identity.Action, title, section string) (visit, error) {
	if !identity.Can(identity.From(c.Request().Context()), a, identity.Scope{}) {
		return visit{}, fault.NotFound.Errorf("There is no such page.")
	}
	return p.visit(c, title, section)
}
