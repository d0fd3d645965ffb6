package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
)

// bindInstance gives an app access to an instance.
func (p *Pages) bindInstance(c echo.Context) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	app, err := p.Directory.App(ctx, v.who, v.project.ID, c.FormValue("app"))
	if err != nil {
		return p.instanceProblem(c, err)
	}
	if _, _, err = p.Broker.Bind(ctx, v.who, broker.BindOrder{Instance: i.ID, App: app.ID, Alias: c.FormValue("alias"), AcceptsAsync: true}); err != nil {
		return p.instanceProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+i.Name+"?done=binding")
}
