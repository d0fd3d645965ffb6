package osb

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// upstream is an upstream's catalog as far as we use it.
type upstream struct {
	Services []service `json:"services"`
}

type service struct {
	ID           string   `json:"id"`
	Name         string   `json:"name"`
	Description  string   `json:"description"`
	Tags         []string `json:"tags"`
	Requires     []string `json:"requires"`
	Bindable     bool     `json:"bindable"`
	Retrievable  bool     `json:"instances_retrievable"`
	BindingsToo  bool     `json:"bindings_retrievable"`
	Updatable    bool     `json:"plan_updateable"`
	Plans        []plan   `json:"plans"`
	ServiceAbout struct {
		DisplayName string `json:"displayName"`
		Docs        string `json:"documentationUrl"`
	} `json:"metadata"`
}

type plan struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Free        *bool  `json:"free"`
	Bindable    *bool  `json:"bindable"`
	Updatable   *bool  `json:"plan_updateable"`
	Rotatable   bool   `json:"binding_rotatable"`
	MaxPolling  int64  `json:"maximum_polling_duration"` // seconds
	Maintenance *struct {
		Version     string `json:"version"`
		Description string `json:"description"`
	} `json:"maintenance_info"`
	Schemas struct {
		Instance struct {
			Create struct {
				Parameters json.RawMessage `json:"parameters"`
			} `json:"create"`
			Update struct {
				Parameters json.RawMessage `json:"parameters"`
			} `json:"update"`
		} `json:"service_instance"`
		Binding struct {
			Create struct {
				Parameters json.RawMessage `json:"parameters"`
			} `json:"create"`
		} `json:"service_binding"`
	} `json:"schemas"`
	About struct {
		DisplayName string `json:"displayName"`
		Costs       []cost `json:"costs"`
	} `json:"metadata"`
}

// cost is a price by the catalog's convention: an amount per currency, and for what.
type cost struct {
	Amount map[string]json.Number `json:"amount"`
	Unit   string                 `json:"unit"`
}

// shelf is the upstream's catalog as it was told last.
type shelf struct {
	fetching sync.Mutex // one fetch at a time

	mu   sync.Mutex
	at   time.Time // of the last good answer; zero: ask again
	etag string
	told *upstream
}

func (s *shelf) known() (told *upstream, etag string, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.told, s.etag, s.at
}

// forget has the catalog fetched anew.
func (s *shelf) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.etag = time.Time{}, ""
}

// keep takes a good answer in; nil says that the catalog is as it was. An answer without that ends what was thought to be known.
func (s *shelf) keep(told *upstream, etag string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = time.Now()
	if told != nil {
		s.told, s.etag = told, etag
	}
}

// catalog gives the upstream's catalog, asking for it when what is known is older than age.
func (d *Driver) catalog(ctx context.Context, age time.Duration) (*upstream, error) {
	d.shelf.fetching.Lock()
	defer d.shelf.fetching.Unlock()
	told, etag, at := d.shelf.known()
	if told != nil && time.Since(at) < age {
		return told, nil
	}
	a := d.ask(ctx, request{method: http.MethodGet, path: "/v2/catalog", etag: etag})
	t := item{noun: "catalog"}
	switch {
	case a.err != nil:
		return nil, d.away(unanswered(a.err))
	case a.status == http.StatusNotModified && told != nil:
		d.shelf.keep(nil, "")
		return told, nil
	case a.status == http.StatusOK:
		fresh := new(upstream)
		if !a.object(fresh) || fresh.Services == nil {
			return nil, d.away(malformed(a.status))
		}
		if err := fresh.check(); err != nil {
			return nil, d.away(err)
		}
		d.shelf.keep(fresh, a.header.Get("ETag"))
		return fresh, nil
	case a.status >= 500 || a.status/100 == 2:
		return nil, d.away(failed(t, a))
	}
	err := refused(t, a)
	if k := fault.KindOf(err); k == fault.Refused || k == fault.Invalid {
		err = fault.Unavailable.Wrap(err, "The upstream does not show its catalog (%d).", a.status)
	}
	return nil, d.away(err)
}

// away has the next call ask again, whatever the age of what is known.
func (d *Driver) away(err error) error {
	d.shelf.mu.Lock()
	defer d.shelf.mu.Unlock()
	d.shelf.at = time.Time{}
	return err
}

// check refuses a catalog whose ids cannot be told apart.
func (u *upstream) check() error {
	seen := map[string]bool{}
	for _, s := range u.Services {
		if s.ID == "" || s.Name == "" || seen["s"+s.ID] {
			return fault.ProviderFailed.Errorf("The upstream's catalog has an offering without an id or a name, or two with one id.")
		}
		seen["s"+s.ID] = true
		for _, p := range s.Plans {
			if p.ID == "" || p.Name == "" || seen["p"+s.ID+"/"+p.ID] {
				return fault.ProviderFailed.Errorf("The upstream's catalog has a plan without an id or a name, or two with one id.")
			}
			seen["p"+s.ID+"/"+p.ID] = true
		}
	}
	return nil
}

// find gives an offering of the upstream by its id there.
func (u *upstream) find(id string) (service, bool) {
	if u != nil {
		for _, s := range u.Services {
			if s.ID == id {
				return s, true
			}
		}
	}
	return service{}, false
}

// retrievable tells whether the upstream can be asked for an instance of the offering, and for its bindings; of one that is not sold any more as
// well as it can be known.
func (d *Driver) retrievable(ctx context.Context, id string) (instances, bindings bool) {
	c, err := d.catalog(ctx, d.settings.Refresh)
	if err != nil {
		c, _, _ = d.shelf.known()
	}
	s, found := c.find(id)
	return found && s.Retrievable, found && s.BindingsToo
}
