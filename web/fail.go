package web

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/problem"
)

// Failer shows an error as a page; Pages may be one.
type Failer interface {
	Fail(c echo.Context, err error) error
}

// fail answers with an error that no handler has answered with.
func (s *Server) fail(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		err = fault.TooLarge.Errorf("The body is over %d bytes.", s.BodyLimit)
	}
	if fault.KindOf(err) == fault.TooMany {
		c.Response().Header().Set("Retry-After", "60")
	}
	browser := areaOf(c.Request().URL.Path) != api && strings.Contains(c.Request().Header.Get("Accept"), "text/html")
	if pages, ok := s.Pages.(Failer); ok && browser {
		if err := pages.Fail(c, err); err == nil || c.Response().Committed {
			return
		}
	}
	s.translate(c.Request().Context(), err).Write(c.Response())
}

// translate gives the router's own errors their kind.
func (s *Server) translate(ctx context.Context, err error) problem.Problem {
	he, ok := errors.AsType[*echo.HTTPError](err)
	if !ok {
		return problem.Of(ctx, s.Log, err)
	}
	switch he.Code {
	case http.StatusNotFound:
		err = fault.NotFound.Errorf("There is nothing at this address.")
	case http.StatusMethodNotAllowed:
		p := problem.Of(ctx, s.Log, fault.Invalid.Errorf("This address does not take this method."))
		p.Status, p.Title = he.Code, "Method not allowed"
		return p
	case http.StatusRequestEntityTooLarge:
		err = fault.TooLarge.Errorf("The body is over %d bytes.", s.BodyLimit)
	case http.StatusBadRequest, http.StatusUnsupportedMediaType:
		err = fault.Invalid.Wrap(err, "The request could not be read.")
	}
	return problem.Of(ctx, s.Log, err)
}

// ready tells whether the market can work now.
func (s *Server) ready(c echo.Context) error {
	if s.Ready != nil {
		ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second) // who asks waits 5 s
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			return fault.Unavailable.Wrap(err, "The market is not ready.")
		}
	}
	return c.String(http.StatusOK, "ready\n")
}

// metrics lets operators read.
func (s *Server) metrics(c echo.Context) error {
	if !identity.Can(identity.From(c.Request().Context()), identity.OperationRead, identity.Scope{}) {
		return fault.Forbidden.Errorf("Only operators read the metrics.")
	}
	s.Metrics.ServeHTTP(c.Response(), c.Request())
	return nil
}
