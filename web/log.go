package web

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
)

// logged writes one line a request: the path, never the query (codes and states travel there), never a header.
func (s *Server) logged(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begin := time.Now()
		ctx, heard := identity.Listen(c.Request().Context())
		c.SetRequest(c.Request().WithContext(ctx))
		if err := next(c); err != nil {
			c.Error(err)
		}
		r, level := c.Request(), slog.LevelInfo
		who := identity.From(r.Context())
		if who.Kind == identity.Nobody {
			who = *heard
		}
		if p := r.URL.Path; p == "/healthz" || p == "/readyz" || p == "/metrics" {
			level = slog.LevelDebug
		}
		s.Log.LogAttrs(r.Context(), level, "request",
			slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", c.Response().Status),
			slog.Int64("bytes", c.Response().Size), slog.String("took", time.Since(begin).Round(time.Microsecond).String()),
			slog.String("who", who.Label()), slog.String("ip", identity.From(r.Context()).RemoteIP),
			slog.String("id", r.Header.Get(echo.HeaderXRequestID)))
		if s.Answered != nil {
			s.Answered(methodOf(r.Method), routeOf(c.Path()), c.Response().Status, time.Since(begin))
		}
		return nil
	}
}

// routeOf is a route's template; strangers who try addresses make no label of their own.
func routeOf(template string) string {
	if template == "" {
		return "none"
	}
	return template
}

// methodOf is a method of HTTP; one that somebody made up is no label.
func methodOf(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}

// recovered turns a panic into an answer, and keeps the stack for the log.
func (s *Server) recovered(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			r := recover()
			if r == nil {
				return
			}
			if e, ok := r.(error); ok && errors.Is(e, http.ErrAbortHandler) {
				panic(r)
			}
			err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
		}()
		return next(c)
	}
}
