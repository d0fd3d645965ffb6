package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// suspendInstance refuses logins to an instance and keeps its data, once that was confirmed.
func (p *Pages) suspendInstance(c echo.Context) error {
	return p.turn(c, "suspend", "Tick this to confirm. Nothing was suspended.", func(v visit, i broker.Instance) error {
		_, err := p.Broker.Suspend(c.Request().Context(), v.who, i.ID, c.FormValue("why"))
		return err
	})
}

// resumeInstance lets an instance's apps in again, once that was confirmed.
func (p *Pages) resumeInstance(c echo.Context) error {
	return p.turn(c, "resume", "Tick this to confirm. Nothing was resumed.", func(v visit, i broker.Instance) error {
		_, err := p.Broker.Resume(c.Request().Context(), v.who, i.ID)
		return err
	})
}

// turn suspends or resumes; what was typed stays when it cannot be done.
func (p *Pages) turn(c echo.Context, done, unconfirmed string, do func(visit, broker.Instance) error) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	if c.FormValue("confirm") != "yes" {
		return p.instanceAgain(c, http.StatusBadRequest, func(page *look.Instance) {
			if page.Turn == nil {
				page.Problems = []string{unconfirmed}
				return
			}
			page.Turn.Confirm.Error = unconfirmed
		})
	}
	if err := do(v, i); err != nil {
		return p.instanceProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+i.Name+"?done="+done)
}
