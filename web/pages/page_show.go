package pages

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
	"github.com/sutlerhq/sutler/web/problem"
)

// guard sends those who are not signed in to the landing page, and turns an error into a page that says it.
func (p *Pages) guard(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if identity.From(c.Request().Context()).Kind == identity.Nobody {
			if c.Request().Method != http.MethodGet {
				return p.Fail(c, fault.Unauthenticated.Errorf("You are not signed in, so nothing was changed."))
			}
			return c.Redirect(http.StatusSeeOther, "/signin?next="+url.QueryEscape(c.Request().URL.RequestURI()))
		}
		if err := h(c); err != nil {
			return p.Fail(c, err)
		}
		return nil
	}
}

// Fail answers with a page about the error. The front door uses it too, for addresses that lead nowhere.
func (p *Pages) Fail(c echo.Context, err error) error {
	if c.Response().Committed {
		return err
	}
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		err = fault.NotFound.Wrap(err, "There is no such page.")
		if he.Code == http.StatusMethodNotAllowed {
			err = fault.Invalid.Wrap(he, "This address is not for that.")
		}
	}
	ctx := c.Request().Context()
	told := problem.Of(ctx, p.Log, err)
	page := look.Failure{Status: told.Status, Head: told.Title, Text: told.Detail, Hint: told.Hint, ID: told.ErrorID, Back: "/"}
	for _, f := range told.Fields {
		page.Fields = append(page.Fields, look.Choice{Label: f.Path, Note: f.Reason})
	}
	page.Frame = look.Frame{Title: told.Title, Now: p.Clock.Now(), Dev: p.Dev}
	if who := identity.From(ctx); who.Kind != identity.Nobody && told.Status < http.StatusInternalServerError {
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
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", Policy)
	return c.HTMLBlob(status, b.Bytes())
}

// Policy is the Content-Security-Policy of every page: everything comes from here, and nothing is inline.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

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
