package pages

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/problem"
)

// cordonProvider lets a provider take no new instances, saying why.
func (p *Pages) cordonProvider(c echo.Context) error {
	return p.cordon(c, "cordon", func(ctx context.Context, who identity.Principal, name string) error {
		return p.Broker.Cordon(ctx, who, name, c.FormValue("reason"))
	})
}

// uncordonProvider lets a provider take new instances again.
func (p *Pages) uncordonProvider(c echo.Context) error {
	return p.cordon(c, "uncordon", p.Broker.Uncordon)
}

func (p *Pages) cordon(c echo.Context, done string, do func(context.Context, identity.Principal, string) error) error {
	v, err := p.operator(c, identity.ProviderManage, "Providers", "sellers")
	if err != nil {
		return err
	}
	name := c.Param("provider")
	err = do(c.Request().Context(), v.who, name)
	if err == nil {
		return c.Redirect(http.StatusSeeOther, "/operator/providers?done="+done)
	}
	page, broken := p.sellersPage(c.Request().Context(), v)
	if !told(err) || broken != nil {
		return err
	}
	for n := range page.Rows {
		if row := &page.Rows[n]; row.Name == name {
			row.Reason.Value, row.Reason.Error = c.FormValue("reason"), fault.Of(err).Text
		}
	}
	return p.show(c, problem.Status(fault.KindOf(err)), page)
}
