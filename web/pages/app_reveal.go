package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
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
	page.Revealed, page.Pending = true, false
	if page.Variables, page.Dotenv, err = environment(a.Name, open); err != nil {
		return err
	}
	return p.show(c, http.StatusOK, page)
}

// environment is what an app finds in its environment: the variables, and all of them as a .env file. A value that no such file can hold
// leaves the file out.
func environment(app string, open []broker.Credentials) ([]look.Variable, string, error) {
	bound := make([]environ.Binding, 0, len(open))
	for _, one := range open {
		bound = append(bound, environ.Binding{
			Alias: one.Binding.Alias, Kind: string(one.Instance.Kind), Offering: one.Instance.Offering, Plan: one.Instance.Plan, Provider: one.Instance.Provider,
			InstanceName: one.Instance.Name, InstanceID: one.Instance.ID, BindingID: one.Binding.ID, Credentials: one.Values,
		})
	}
	env, err := environ.Variables(bound)
	if err != nil {
		return nil, "", err
	}
	list := make([]look.Variable, 0, len(env))
	for _, one := range env {
		list = append(list, look.Variable{Name: one.Name, Value: one.Value})
	}
	file, err := environ.Render(environ.Dotenv, app, bound)
	if err != nil {
		file = nil
	}
	return list, string(file), nil
}
