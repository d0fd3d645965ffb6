package web

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// policy is what a page may do: load from us alone, send forms to us alone, and stand in no frame.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// retryAfter is how many seconds a caller is asked to wait for a part that is away: about as long as a store or a server takes to be back.
const retryAfter = "5"

// headers sets what every answer carries; a handler may set its own policy over it.
func (s *Server) headers(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		h := c.Response().Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin") // no-referrer would send our own forms with "Origin: null", which is refused
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		if a := areaOf(c.Request().URL.Path); a == api || a == pages {
			h.Set("Cache-Control", "no-store") // what one may see depends on who asks
		}
		c.Response().Before(func() {
			if c.Response().Status == http.StatusServiceUnavailable && h.Get(echo.HeaderRetryAfter) == "" {
				h.Set(echo.HeaderRetryAfter, retryAfter)
			}
		})
		return next(c)
	}
}
