package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// unbind ends an app's access.
func (p *Pages) unbind(c echo.Context) error {
	v, i, b, err := p.visitBinding(c)
	if err != nil {
		return err
	}
	if _, err = p.Broker.Unbind(c.Request().Context(), v.who, b.ID); err != nil {
		return p.instanceProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+i.Name+"?done=unbound")
}

// visitBinding finds the binding that the address names; one of another instance is not there.
func (p *Pages) visitBinding(c echo.Context) (visit, broker.Instance, broker.Binding, error) {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return v, i, broker.Binding{}, err
	}
	b, err := p.Broker.Binding(c.Request().Context(), v.who, c.Param("binding"))
	if err == nil && b.Instance != i.ID {
		err = fault.NotFound.Errorf("There is no binding %q.", c.Param("binding"))
	}
	return v, i, b, err
}
