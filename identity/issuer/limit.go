package issuer

import (
	"crypto/sha256"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/clock"
)

// maxTracked bounds what each limiter remembers.
const maxTracked = 10_000

// key is a digest: what strangers type may be long, and is not kept.
type key [sha256.Size]byte

func keyOf(parts ...string) key { return sha256.Sum256([]byte(strings.Join(parts, "\x00"))) }

// attempts bounds how fast passwords can be guessed, in this process: for one account from one address, from one address for all accounts, and,
// slowly, for one account from everywhere. The last could shut its owner out, so it does not hold an address that has signed in to the account.
type attempts struct {
	pair, address, account *limiter

	mu    sync.Mutex
	known map[key]struct{}
}

func newAttempts(c clock.Clock) *attempts {
	return &attempts{
		pair: newLimiter(c, 6*time.Second, 10), address: newLimiter(c, 2*time.Second, 30), account: newLimiter(c, 30*time.Second, 100),
		known: map[key]struct{}{},
	}
}

// allow counts an attempt and tells whether it was within the limits. One that a narrower limit refuses does not count in a wider one.
func (a *attempts) allow(ip, email string) bool {
	network, email := identity.Network(ip), normal(email)
	if !a.pair.allow(keyOf(network, email)) || !a.address.allow(keyOf(network)) {
		return false
	}
	a.mu.Lock()
	_, known := a.known[keyOf(network, email)]
	a.mu.Unlock()
	return known || a.account.allow(keyOf(email))
}

// succeeded remembers that an account's owner is at this address.
func (a *attempts) succeeded(ip, email string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.known) >= maxTracked {
		clear(a.known)
	}
	a.known[keyOf(identity.Network(ip), normal(email))] = struct{}{}
}

func normal(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// limiter allows a number of attempts at once per key, and one more each time every has passed.
type limiter struct {
	mu    sync.Mutex
	clock clock.Clock
	every time.Duration
	burst int
	seen  map[key]*rate.Limiter
}

func newLimiter(c clock.Clock, every time.Duration, burst int) *limiter {
	return &limiter{clock: c, every: every, burst: burst, seen: map[key]*rate.Limiter{}}
}

func (l *limiter) allow(k key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	lim, ok := l.seen[k]
	if !ok {
		l.makeRoom(now)
		lim = rate.NewLimiter(rate.Every(l.every), l.burst)
		l.seen[k] = lim
	}
	return lim.AllowN(now, 1)
}

// makeRoom forgets those who are fully rested; when that is nobody, all: under such a flood the counts are worth nothing.
func (l *limiter) makeRoom(now time.Time) {
	if len(l.seen) < maxTracked {
		return
	}
	for k, lim := range l.seen {
		if lim.TokensAt(now) >= float64(l.burst) {
			delete(l.seen, k)
		}
	}
	if len(l.seen) >= maxTracked {
		clear(l.seen)
	}
}
