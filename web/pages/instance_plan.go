package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// changePlan puts an instance on another plan of its offering.
func (p *Pages) changePlan(c echo.Context) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	plan := c.FormValue("plan")
	if plan == "" {
		return p.instanceAgain(c, http.StatusBadRequest, func(page *look.Instance) {
			said := "Choose a plan. Nothing was changed."
			if page.Change == nil {
				page.Problems = []string{said}
				return
			}
			page.Change.Error = said
		})
	}
	_, fresh, err := p.Broker.Update(c.Request().Context(), v.who, broker.UpdateOrder{Instance: i.ID, Plan: plan, AcceptsAsync: true})
	if err != nil {
		return p.instanceProblem(c, err)
	}
	done := "plan"
	if !fresh {
		done = "same"
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+i.Name+"?done="+done)
}
