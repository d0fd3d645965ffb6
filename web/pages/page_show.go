package pages

import (
	"bytes"
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
	"github.com/sutlerhq/sutler/web/problem"
)

// guard turns an error into a page that says it. The front door has asked who is asking; should it ever let nobody through, nobody gets in.
func (p *Pages) guard(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx := c.Request().Context()
		err := error(fault.Unauthenticated.Errorf("You are not signed in.").WithHint("Sign in and try again."))
		if identity.From(ctx).Kind != identity.Nobody {
			err = h(c)
		}
		if err == nil || c.Response().Committed {
			return err
		}
		return p.Fail(c, problem.Of(ctx, p.Log, err))
	}
}

// Fail answers with a page about the problem. The front door uses it too, for addresses that lead nowhere.
func (p *Pages) Fail(c echo.Context, told problem.Problem) error {
	page := look.Failure{Status: told.Status, Head: told.Title, Text: told.Detail, Hint: told.Hint, ID: told.ErrorID, Back: "/"}
	for _, f := range told.Fields {
		page.Fields = append(page.Fields, look.Choice{Label: f.Path, Note: f.Reason})
	}
	page.Frame = look.Frame{Title: told.Title, Now: p.Clock.Now(), Dev: p.Dev}
	if who := identity.From(c.Request().Context()); who.Kind != identity.Nobody && told.Status < http.StatusInternalServerError {
		if v, err := p.visit(c, told.Title, ""); err == nil {
			page.Frame = v.frame
		} else if v, err = p.visitAt(c, "", "", told.Title, ""); err == nil { // the address named a place that is not there
			page.Frame = v.frame
		}
	}
	return p.show(c, told.Status, page)
}

// show answers with a page. Pages are about one person at one moment: nobody keeps them.
func (p *Pages) show(c echo.Context, status int, page look.Page) error {
	var b bytes.Buffer
	if err := p.look.Render(&b, page); err != nil {
		p.Log.LogAttrs(c.Request().Context(), slog.LevelError, "page", slog.Any("cause", err))
		return c.String(http.StatusInternalServerError, "Something went wrong on our side.")
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	return c.HTMLBlob(status, b.Bytes())
}

// told tells whether an error is one that a form can show in place: the person can do something about it there.
func told(err error) bool {
	switch fault.KindOf(err) {
	case fault.Invalid, fault.Conflict, fault.Busy, fault.Refused, fault.Unprocessable, fault.Unavailable, fault.ProviderFailed:
		return true
	}
	return false
}

// problems are the error's sentences for the top of a form.
func problems(err error) []string {
	f := fault.Of(err)
	said := []string{f.Text}
	if f.Hint != "" {
		said = append(said, f.Hint)
	}
	return said
}
