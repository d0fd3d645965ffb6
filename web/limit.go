package web

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/fault"
)

// limiter allows so many events a minute per key, in this process.
type limiter struct {
	mu        sync.Mutex
	clock     clock.Clock
	perMinute int
	seen      map[string]*rate.Limiter
}

func newLimiter(c clock.Clock, perMinute int) *limiter {
	return &limiter{clock: c, perMinute: perMinute, seen: map[string]*rate.Limiter{}}
}

func (l *limiter) of(key string, now time.Time) *rate.Limiter {
	if len(l.seen) > 10_000 { // forget those who are fully rested, so that strangers cannot fill the memory
		for k, lim := range l.seen {
			if lim.TokensAt(now) >= float64(l.perMinute) {
				delete(l.seen, k)
			}
		}
	}
	lim, ok := l.seen[key]
	if !ok {
		lim = rate.NewLimiter(rate.Every(time.Minute/time.Duration(l.perMinute)), l.perMinute)
		l.seen[key] = lim
	}
	return lim
}

// allow counts one event, and tells whether it was within the limit.
func (l *limiter) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	return l.of(key, now).AllowN(now, 1)
}

// limited bounds bodies, the time they may take to arrive, and how many sign-ins one address begins.
func (s *Server) limited(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.ContentLength > s.BodyLimit && areaOf(r.URL.Path) != machines {
			return fault.TooLarge.Errorf("The body is over %d bytes.", s.BodyLimit)
		}
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = http.MaxBytesReader(c.Response(), r.Body, s.BodyLimit)
			// Not every connection has deadlines (tests' recorders have none); then the body may take its time.
			_ = http.NewResponseController(c.Response().Writer).SetReadDeadline(time.Now().Add(time.Minute))
		}
		begins := r.URL.Path == "/auth/login" || strings.HasPrefix(r.URL.Path, "/oidc/authorize")
		if begins && !s.begins.allow(identity.Network(identity.From(r.Context()).RemoteIP)) {
			return fault.TooMany.Errorf("Too many sign-ins began at your address.").WithHint("Wait a minute.")
		}
		return next(c)
	}
}
