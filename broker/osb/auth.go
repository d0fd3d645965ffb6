package osb

import (
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
)

// After this many wrong passwords for one name from one address, that name is not let in from there for a while.
const (
	maxFailures = 10
	lockedFor   = time.Minute
	maxTracked  = 10_000
)

// authenticate answers which platform is asking.
func (d *door) authenticate(w http.ResponseWriter, r *http.Request) (identity.Principal, error) {
	name, password, ok := r.BasicAuth()
	if !ok {
		w.Header().Set("WWW-Authenticate", `Basic realm="sutler"`)
		return identity.Principal{}, fault.Unauthenticated.Errorf("A platform must say who it is: Basic authentication.")
	}
	address := addressOf(r)
	key := name + "\x00" + address
	if wait := d.limit.locked(key, time.Now()); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)+1))
		return identity.Principal{}, fault.TooMany.Errorf("Too many wrong passwords. Try again in a minute.")
	}
	who, err := d.Directory.ByPlatform(r.Context(), name, password)
	if fault.KindOf(err) == fault.Unauthenticated {
		d.limit.failed(key, time.Now())
		w.Header().Set("WWW-Authenticate", `Basic realm="sutler"`)
	}
	if err != nil {
		return identity.Principal{}, err
	}
	d.limit.succeeded(key)
	who.RemoteIP = address
	return who, nil
}

// addressOf is where a request really came from: the front door knows, behind trusted proxies too; without one it is the connection's.
func addressOf(r *http.Request) string {
	if known := identity.From(r.Context()).RemoteIP; known != "" {
		return known
	}
	address, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		address = r.RemoteAddr
	}
	return address
}

// limit counts wrong passwords by name and address.
type limit struct {
	mu    sync.Mutex
	tries map[string]try
}

type try struct {
	n     int
	until time.Time // when the count is forgotten
}

func newLimit() *limit { return &limit{tries: map[string]try{}} }

// locked tells how long a key has to wait.
func (l *limit) locked(key string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	t := l.tries[key]
	if t.n < maxFailures {
		return 0
	}
	return t.until.Sub(now)
}

func (l *limit) failed(key string, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.tries) >= maxTracked {
		for k, t := range l.tries {
			if t.until.Before(now) {
				delete(l.tries, k)
			}
		}
		if len(l.tries) >= maxTracked {
			clear(l.tries) // under such a flood the counts are worth nothing
		}
	}
	t := l.tries[key]
	if t.until.Before(now) {
		t.n = 0
	}
	l.tries[key] = try{t.n + 1, now.Add(lockedFor)}
}

func (l *limit) succeeded(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.tries, key)
}
