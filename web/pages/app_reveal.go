package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

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
	page.Revealed, page.Pending, page.Variables = true, false, nil
	for _, one := range open {
		for _, value := range inClear(one.Values) {
			page.Variables = append(page.Variables, look.Variable{Name: variable(one.Binding.Alias, value.Name), Value: value.Value, From: one.Instance.Name})
		}
	}
	return p.show(c, http.StatusOK, page)
}
