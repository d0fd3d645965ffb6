package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/problem"
)

// createApp makes an app.
func (p *Pages) createApp(c echo.Context) error {
	v, err := p.visit(c, "Apps", "apps")
	if err != nil {
		return err
	}
	a, err := p.Directory.CreateApp(c.Request().Context(), v.who, v.project.ID, c.FormValue("name"))
	if err == nil {
		return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/apps/"+a.Name+"?done=app")
	}
	if !told(err) {
		return err
	}
	page, shown := p.appsPage(c)
	if shown != nil {
		return shown
	}
	page.Name.Value, page.Name.Error = c.FormValue("name"), fault.Of(err).Text
	return p.show(c, problem.Status(fault.KindOf(err)), page)
}
