package issuer

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sutlerhq/sutler/internal/clock"
)

// limiter allows ten attempts a minute per key, in this process.
type limiter struct {
	mu    sync.Mutex
	clock clock.Clock
	seen  map[string]*rate.Limiter
}

func newLimiter(c clock.Clock) *limiter { return &limiter{clock: c, seen: map[string]*rate.Limiter{}} }

func (l *limiter) allow(key string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	if len(l.seen) > 10_000 { // forget those who are fully rested, so that strangers cannot fill the memory
		for k, lim := range l.seen {
			if lim.TokensAt(now) >= 10 {
				delete(l.seen, k)
			}
		}
	}
	lim, ok := l.seen[key]
	if !ok {
		lim = rate.NewLimiter(rate.Every(6*time.Second), 10)
		l.seen[key] = lim
	}
	return lim.AllowN(now, 1)
}
