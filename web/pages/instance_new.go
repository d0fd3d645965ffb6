package pages

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// newInstance shows the form that buys an instance; its address may hold what is to be filled in.
func (p *Pages) newInstance(c echo.Context) error {
	v, err := p.visit(c, "Create", "market")
	if err != nil {
		return err
	}
	if !v.can(identity.InstanceWrite) {
		return fault.Forbidden.Errorf("Your role in %s does not create instances.", v.project.Name).WithHint("Ask an admin of %s to make you a developer.", v.org.Name)
	}
	ctx := c.Request().Context()
	o, err := p.orderOf(ctx, v, c.Param("offering"), c.QueryParams())
	if err != nil {
		return err
	}
	if o.typed.Get("name") == "" {
		taken, err := p.Broker.Instances(ctx, v.who, v.scope())
		if err != nil {
			return err
		}
		o.typed.Set("name", freeName(strings.ReplaceAll(o.offer.Name, ".", "-"), taken))
	}
	return p.show(c, http.StatusOK, o.page(v.frame))
}
