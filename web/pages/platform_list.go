package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// platforms lists the registered OSB clients.
func (p *Pages) platforms(c echo.Context) error {
	v, err := p.operator(c, identity.PlatformManage, "Platforms", "platforms")
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	list, err := p.Directory.Platforms(ctx, v.who)
	if err != nil {
		return err
	}
	page := look.Platforms{Frame: v.frame, Command: "sutler platform list"}
	for _, one := range list {
		row := look.PlatformRow{Name: one.Name, Org: one.Org, Project: one.Project, CreatedAt: one.CreatedAt}
		if t, err := p.Directory.Tenancy(ctx, identity.Scope{Org: one.Org, Project: one.Project}); err == nil {
			row.Org, row.Project = t.OrgName, t.ProjectName
		}
		page.Rows = append(page.Rows, row)
	}
	return p.show(c, http.StatusOK, page)
}
