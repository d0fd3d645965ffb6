package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// rotateBinding gives a binding's app new credentials; the old ones stay valid for the market's grace time.
func (p *Pages) rotateBinding(c echo.Context) error {
	v, i, b, err := p.visitBinding(c)
	if err != nil {
		return err
	}
	if _, _, err = p.Broker.Rotate(c.Request().Context(), v.who, b.ID); err != nil {
		return p.instanceProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+i.Name+"?done=rotate")
}
