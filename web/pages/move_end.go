package pages

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// confirmMove destroys the old instance of a move, once that was confirmed.
func (p *Pages) confirmMove(c echo.Context) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	if c.FormValue("confirm") != "yes" {
		return p.moveAgain(c, func(m *look.Move) bool {
			if m.Confirm != nil {
				m.Confirm.Error = "Tick this to confirm. Nothing was destroyed."
			}
			return m.Confirm != nil
		}, "Nothing was destroyed: the move was not confirmed.")
	}
	m, err := p.Broker.ConfirmMove(c.Request().Context(), v.who, i.ID)
	if err != nil {
		return p.instanceProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+m.Name+"?done=confirm")
}

// rollBackMove gives the old instance of a move its place again. Once apps use the new one its name must be typed, as what they wrote is lost.
func (p *Pages) rollBackMove(c echo.Context) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	ctx, name := c.Request().Context(), c.FormValue("name")
	now, err := p.Broker.MoveOf(ctx, v.who, i.ID)
	if err != nil {
		return err
	}
	if now.Switched && name == "" || !now.Switched && c.FormValue("confirm") != "yes" {
		return p.unreturned(c, name)
	}
	m, err := p.Broker.RollBackMove(ctx, v.who, i.ID, name)
	if fault.KindOf(err) == fault.Invalid {
		return p.unreturned(c, name)
	}
	if err != nil {
		return p.instanceProblem(c, err)
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+m.Name+"?done=rollback")
}

// unreturned shows the page of an instance whose move was not taken back, as that was not confirmed.
func (p *Pages) unreturned(c echo.Context, name string) error {
	return p.moveAgain(c, func(m *look.Move) bool {
		switch {
		case m.Back == nil:
			return false
		case m.Back.Name != nil:
			m.Back.Name.Value, m.Back.Name.Error = name, "That is not its name. Nothing was rolled back."
		default:
			m.Back.Sure.Error = "Tick this to confirm. Nothing was stopped."
		}
		return true
	}, "Nothing was rolled back: that was not confirmed.")
}

// moveAgain shows the instance's page as the answer to a form about its move; said stands on top when the form itself is not there any more.
func (p *Pages) moveAgain(c echo.Context, change func(*look.Move) bool, said string) error {
	return p.instanceAgain(c, http.StatusBadRequest, func(page *look.Instance) {
		if page.Move == nil || !change(page.Move) {
			page.Problems = []string{said}
		}
	})
}
