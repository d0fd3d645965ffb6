package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// backUp begins a backup of an instance.
func (p *Pages) backUp(c echo.Context) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	if _, err = p.Broker.BackUp(c.Request().Context(), v.who, i.ID); err != nil {
		return p.instanceProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+i.Name+"?done=backup#backups")
}
