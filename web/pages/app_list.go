package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// apps lists a project's apps and what they use.
func (p *Pages) apps(c echo.Context) error {
	page, err := p.appsPage(c)
	if err != nil {
		return err
	}
	return p.show(c, http.StatusOK, page)
}

func (p *Pages) appsPage(c echo.Context) (look.Apps, error) {
	v, err := p.visit(c, "Apps", "apps")
	if err != nil {
		return look.Apps{}, err
	}
	ctx := c.Request().Context()
	list, err := p.Directory.Apps(ctx, v.who, v.project.ID)
	if err != nil {
		return look.Apps{}, err
	}
	bindings, err := p.Broker.Bindings(ctx, v.who, "", "", v.project.ID)
	if err != nil {
		return look.Apps{}, err
	}
	page := look.Apps{
		Frame: v.frame, Write: v.can(identity.AppWrite), Command: command("sutler", "app", "create", "NAME", "--org", v.org.Name, "--project", v.project.Name),
		Name: look.Field{Name: "name", Label: "Name of the new app", Required: true, Placeholder: "shop-web", Help: "Small letters, digits and dashes."},
	}
	for _, a := range list {
		row := look.AppRow{Name: a.Name, URL: v.frame.Base() + "/apps/" + a.Name}
		for _, b := range bindings {
			if b.App == a.ID {
				row.Uses = append(row.Uses, b.InstanceName)
			}
		}
		page.Rows = append(page.Rows, row)
	}
	return page, nil
}
