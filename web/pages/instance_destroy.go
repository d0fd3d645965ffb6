package pages

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
	"github.com/sutlerhq/sutler/web/problem"
)

// destroyInstance ends an instance, once its name was typed.
func (p *Pages) destroyInstance(c echo.Context) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	if c.FormValue("confirm") != i.Name {
		return p.instanceAgain(c, http.StatusBadRequest, func(page *look.Instance) {
			page.Confirm.Value, page.Confirm.Error = c.FormValue("confirm"), "That is not its name. Nothing was destroyed."
		})
	}
	if _, err = p.Broker.Deprovision(c.Request().Context(), v.who, i.ID); err != nil {
		return p.instanceProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances?done=destroy")
}

// instanceProblem shows the instance's page with what went wrong, when a person can do something about it there.
func (p *Pages) instanceProblem(c echo.Context, err error) error {
	if !told(err) {
		return err
	}
	return p.instanceAgain(c, problem.Status(fault.KindOf(err)), func(page *look.Instance) { page.Problems = problems(err) })
}

// instanceAgain shows the instance's page as the answer to a form, changed by change, with nothing lost of what was typed.
func (p *Pages) instanceAgain(c echo.Context, status int, change func(*look.Instance)) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	typed, err := c.FormParams()
	if err != nil {
		typed = url.Values{}
	}
	page, err := p.instancePage(c.Request().Context(), v, i, typed)
	if err != nil {
		return err
	}
	change(&page)
	page.Pending = false // reloading would send the form again
	return p.show(c, status, page)
}
