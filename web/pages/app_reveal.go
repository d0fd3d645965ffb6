package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker/environ"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// revealApp shows an app's whole environment in clear, in the answer itself; the broker writes the look into the audit trail first.
func (p *Pages) revealApp(c echo.Context) error {
	v, page, a, err := p.appPage(c)
	if err != nil {
		return err
	}
	open, err := p.Broker.AppCredentials(c.Request().Context(), v.who, a.ID)
	if err != nil {
		return err
	}
	bound := make([]environ.Binding, 0, len(open))
	for _, one := range open {
		bound = append(bound, environ.Binding{
			Alias: one.Binding.Alias, Kind: string(one.Instance.Kind), Offering: one.Instance.Offering, Plan: one.Instance.Plan, Provider: one.Instance.Provider,
			InstanceName: one.Instance.Name, InstanceID: one.Instance.ID, BindingID: one.Binding.ID, Credentials: one.Values,
		})
	}
	env, err := environ.Variables(bound)
	if err != nil {
		return err
	}
	page.Revealed, page.Pending, page.Variables = true, false, nil
	for _, one := range env {
		page.Variables = append(page.Variables, look.Variable{Name: one.Name, Value: one.Value})
	}
	return p.show(c, http.StatusOK, page)
}
