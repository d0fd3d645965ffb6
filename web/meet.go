package web

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/ids"
)

// meet gives a request its id and the address it really came from, notes that it runs, and ends streams when the server stops.
func (s *Server) meet(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		id := ids.New("req")
		r.Header.Set(echo.HeaderXRequestID, id)
		c.Response().Header().Set(echo.HeaderXRequestID, id)
		s.running.Store(id, r.Method+" "+r.URL.EscapedPath())
		defer s.running.Delete(id)
		ctx := identity.With(r.Context(), identity.Principal{RemoteIP: s.address(r)})
		if strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
			streaming, cancel := context.WithCancel(ctx)
			defer cancel()
			defer context.AfterFunc(s.stopping, cancel)()
			ctx = streaming
		}
		c.SetRequest(r.WithContext(ctx))
		return next(c)
	}
}

// address is the caller's: the connection's, or, when that is a trusted proxy's, the nearest one before it that is not.
func (s *Server) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(hops) {
		if !s.trusts(at) {
			break
		}
		before, err := netip.ParseAddr(strings.TrimSpace(hop))
		if err != nil {
			break
		}
		at = before
	}
	return at.Unmap().String()
}

func (s *Server) trusts(a netip.Addr) bool {
	return slices.ContainsFunc(s.TrustedProxies, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
}
