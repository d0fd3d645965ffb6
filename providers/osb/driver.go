package osb

import (
	"cmp"
	"context"
	"crypto/x509"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/outbound"
	"github.com/sutlerhq/sutler/providers"
)

var (
	_ providers.Driver      = (*Driver)(nil)
	_ providers.Updater     = (*Driver)(nil)
	_ providers.Inspector   = (*Driver)(nil)
	_ providers.Prober      = (*Driver)(nil)
	_ providers.Dashboarder = (*Driver)(nil)
)

// Settings describe one upstream. The zero durations stand for the defaults named here.
type Settings struct {
	URL                string // without /v2
	Username, Password string // Basic authentication; or
	Token              string // a bearer token
	Roots              *x509.CertPool
	Allow              []netip.Prefix          // private addresses that may be called
	Timeout            time.Duration           // of one exchange; 60 s, as the protocol has it
	Refresh            time.Duration           // how long a catalog is good for; 5 min
	Poll               time.Duration           // between questions how far an operation is, when the upstream does not say; 2 s
	Prefix             string                  // before the upstream's offering names, to tell two upstreams apart
	Kinds              map[string]catalog.Kind // by the upstream's offering name; else they are guessed from tags and names
	Currency           string                  // the market's: prices of the upstream's own count in this one alone
}

// maxBody bounds an answer of the upstream, its catalog too.
const maxBody = 4 << 20

// Driver sells the plans of one upstream. It is safe for use by many goroutines.
type Driver struct {
	settings Settings
	http     *http.Client
	version  versions
	shelf    shelf
}

// New makes a driver; it calls nobody yet.
func New(s Settings) *Driver {
	s.URL = strings.TrimRight(s.URL, "/")
	s.Timeout = cmp.Or(s.Timeout, time.Minute)
	s.Refresh, s.Poll = cmp.Or(s.Refresh, 5*time.Minute), cmp.Or(s.Poll, 2*time.Second)
	c := outbound.Client(outbound.Policy{Allow: s.Allow, Timeout: s.Timeout, MaxBody: maxBody, Roots: s.Roots})
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // a login goes to the configured address alone
	return &Driver{settings: s, http: c}
}

// Close lets go of idle connections.
func (d *Driver) Close() { d.http.CloseIdleConnections() }

// Offerings gives the upstream's catalog in our words. It asks again when what it knows is older than Refresh, and fails with Unavailable
// when the upstream does not answer then.
func (d *Driver) Offerings(ctx context.Context) ([]catalog.Offering, error) {
	c, err := d.catalog(ctx, d.settings.Refresh)
	if err != nil {
		return nil, err
	}
	return d.offerings(c), nil
}

// probeEvery bounds how often a probe is a request while the upstream is well.
const probeEvery = 30 * time.Second

// Probe asks for the catalog, unless that was answered just now.
func (d *Driver) Probe(ctx context.Context) error {
	_, err := d.catalog(ctx, min(probeEvery, d.settings.Refresh))
	return err
}

// Dashboard is the page that the upstream named when it made the instance.
func (d *Driver) Dashboard(i providers.Instance) string {
	s, err := readState(i.State)
	if err != nil || !strings.HasPrefix(s.Dashboard, "https://") && !strings.HasPrefix(s.Dashboard, "http://") {
		return ""
	}
	return s.Dashboard
}

// versions are the protocol's versions that we speak, the newest first; an upstream that refuses one is asked in the next.
type versions struct {
	mu sync.Mutex
	n  int
}

func (v *versions) now() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return [...]string{"2.17", "2.16", "2.15", "2.14", "2.13", "2.12", "2.11"}[v.n]
}

// lower goes one version down when refused is the one that is spoken now; false when there is none left.
func (v *versions) lower(refused string) bool {
	if v.now() != refused {
		return true // another call did it
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.n == 6 {
		v.n = 0 // the next request begins anew: the upstream may have been updated
		return false
	}
	v.n++
	return true
}
