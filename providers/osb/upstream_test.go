package osb_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/osb"
)

// scripted is an upstream that answers what a test says and remembers what it was asked.
type scripted struct {
	*httptest.Server
	t testing.TB

	mu    sync.Mutex
	asked []asked
	say   map[string][]reply // by "METHOD place", where place is instance, binding, last or catalog; the last reply stays
}

type asked struct {
	what   string
	header http.Header
	query  map[string][]string
	body   map[string]any
}

// reply is one answer; do is run before it instead when it is there.
type reply struct {
	status int
	body   string
	header map[string]string
	do     func(w http.ResponseWriter, r *http.Request)
}

const shelf = `{"services":[{"id":"svc 1/ä","name":"Big_DB","description":"a database","bindable":true,"instances_retrievable":true,"plan_updateable":true,"tags":["postgresql"],
 "plans":[{"id":"p/1","name":"Small","description":"small","free":true,"binding_rotatable":true,"maintenance_info":{"version":"1.2.0"},"maximum_polling_duration":600},
  {"id":"p2","name":"large","description":"large","free":false,"metadata":{"costs":[{"amount":{"eur":12.50,"usd":14},"unit":"MONTHLY"}]}}]}]}`

func upstream(t testing.TB, say map[string][]reply) *scripted {
	t.Helper()
	s := &scripted{t: t, say: say}
	if s.say["GET catalog"] == nil {
		s.say["GET catalog"] = []reply{{status: 200, body: shelf}}
	}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	what := "instance"
	switch {
	case strings.HasSuffix(r.URL.Path, "/catalog"):
		what = "catalog"
	case strings.HasSuffix(r.URL.Path, "/last_operation"):
		what = "last"
	case strings.Contains(r.URL.Path, "/service_bindings/"):
		what = "binding"
	}
	what = r.Method + " " + what
	raw, _ := io.ReadAll(r.Body)
	a := asked{what: what, header: r.Header, query: r.URL.Query()}
	_ = json.Unmarshal(raw, &a.body)
	s.mu.Lock()
	s.asked = append(s.asked, a)
	list := s.say[what]
	if len(list) > 1 {
		s.say[what] = list[1:]
	}
	s.mu.Unlock()
	if len(list) == 0 {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	if list[0].do != nil {
		list[0].do(w, r)
		return
	}
	for k, v := range list[0].header {
		w.Header().Set(k, v)
	}
	w.WriteHeader(list[0].status)
	_, _ = io.WriteString(w, list[0].body)
}

// was lists what was asked, catalogs aside.
func (s *scripted) was() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, a := range s.asked {
		if a.what != "GET catalog" {
			out = append(out, a.what)
		}
	}
	return strings.Join(out, ", ")
}

// last gives the latest request of a kind.
func (s *scripted) last(what string) asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	for n := len(s.asked) - 1; n >= 0; n-- {
		if s.asked[n].what == what {
			return s.asked[n]
		}
	}
	s.t.Fatalf("there was no %s", what)
	return asked{}
}

func loopback() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} }

func (s *scripted) driver(change ...func(*osb.Settings)) *osb.Driver {
	settings := osb.Settings{URL: s.URL + "/", Username: "sutler", Password: "swordfish", Allow: loopback(), Currency: "EUR", Poll: time.Millisecond, Timeout: 20 * time.Second}
	for _, f := range change {
		f(&settings)
	}
	d := osb.New(settings)
	s.t.Cleanup(d.Close)
	return d
}

// order is an instance of the upstream's first plan.
func (s *scripted) order(d *osb.Driver) providers.Instance {
	s.t.Helper()
	list, err := d.Offerings(s.t.Context())
	if err != nil {
		s.t.Fatal(err)
	}
	return providers.Instance{
		ID: "ins_1", Offering: list[0].Name, Plan: list[0].Plans[0], Params: json.RawMessage(`{"secret":"tops3cret"}`), Owner: providers.Owner{Org: "org_1", Project: "prj_1"},
	}
}

func hang(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

// TestEveryRowOfTheTable: after each kind of answer to a PUT, what is asked next tells whether something had to be cleaned up first.
func TestEveryRowOfTheTable(t *testing.T) {
	for _, c := range []struct {
		name   string
		first  reply
		kind   fault.Kind // of the first call; "" means that it went well
		orphan bool
		gone   bool // a Deprovision after it asks nobody: nothing was made
	}{
		{"200", reply{status: 200, body: `{}`}, "", false, false},
		{"200 malformed", reply{status: 200, body: `{`}, fault.ProviderFailed, false, false},
		{"200 that is a list", reply{status: 200, body: `[]`}, fault.ProviderFailed, false, false},
		{"201", reply{status: 201, body: `{}`}, "", false, false},
		{"201 malformed", reply{status: 201, body: `<html>`}, fault.ProviderFailed, true, false},
		{"201 empty", reply{status: 201}, fault.ProviderFailed, true, false},
		{"201 of another type", reply{status: 201, body: `{"dashboard_url":7,"credentials":"none"}`}, fault.ProviderFailed, true, false},
		{"201 that breaks off", reply{do: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			w.WriteHeader(201)
			_, _ = io.WriteString(w, "{")
		}}, fault.ProviderFailed, true, false},
		{"202 malformed", reply{status: 202, body: `{"operation":7}`}, fault.ProviderFailed, true, false},
		{"other 2xx", reply{status: 204}, fault.ProviderFailed, true, false},
		{"redirect", reply{status: 307, header: map[string]string{"Location": "http://169.254.169.254/"}}, fault.Unavailable, false, false},
		{"400", reply{status: 400, body: `{"description":"no"}`}, fault.Invalid, false, true},
		{"401", reply{status: 401}, fault.Unavailable, false, false},
		{"404", reply{status: 404, body: `not json`}, fault.Refused, false, true},
		{"408", reply{status: 408}, fault.Timeout, false, false},
		{"422", reply{status: 422, body: `{"error":"MaintenanceInfoConflict"}`}, fault.Refused, false, true},
		{"422 while busy", reply{status: 422, body: `{"error":"ConcurrencyError"}`}, fault.Busy, false, false},
		{"429", reply{status: 429}, fault.Unavailable, false, false},
		{"500", reply{status: 500, body: `{"description":"oh"}`}, fault.ProviderFailed, true, false},
		{"503", reply{status: 503}, fault.Unavailable, true, false},
		{"no answer", reply{do: func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }}, fault.Unavailable, true, false},
		{"no end", reply{do: hang}, fault.Timeout, true, false},
		{"giant body", reply{status: 201, body: `{"x":"` + strings.Repeat("x", 5<<20) + `"}`}, fault.ProviderFailed, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			good := `{"credentials":{"uri":"postgres://u:p@h:1/d"}}`
			if c.kind == "" {
				c.first.body = good
			}
			for _, noun := range []string{"instance", "binding"} {
				s := upstream(t, map[string][]reply{"PUT " + noun: {c.first, {status: 201, body: good}}, "DELETE " + noun: {{status: 410, body: `{}`}}})
				d := s.driver()
				i := s.order(d)
				if c.name == "no end" {
					d = s.driver(func(o *osb.Settings) { o.Timeout = 300 * time.Millisecond })
				}
				b := providers.Binding{ID: "bnd_1"}
				call := func() (providers.Progress, error) {
					if noun == "instance" {
						p, err := d.Provision(t.Context(), i)
						i.State = p.State
						return p, err
					}
					_, p, err := d.Bind(t.Context(), i, b)
					b.State = p.State
					return p, err
				}
				p, err := call()
				if (err == nil) != (c.kind == "") || err != nil && fault.KindOf(err) != c.kind || err == nil && !p.Done {
					t.Fatalf("%s: the first call: %+v, %v (%v)", noun, p, err, fault.KindOf(err))
				}
				gi, gb := i, b // a delete instead of another try
				again, err := call()
				if err != nil || !again.Done {
					t.Fatalf("%s: the second call: %+v, %v", noun, again, err)
				}
				want := fmt.Sprintf("PUT %[1]s, PUT %[1]s", noun)
				if c.orphan {
					want = fmt.Sprintf("PUT %[1]s, DELETE %[1]s, PUT %[1]s", noun)
				}
				if got := s.was(); got != want {
					t.Errorf("%s: it was asked %s, want %s", noun, got, want)
				}
				if noun == "instance" {
					if p, err = d.Deprovision(t.Context(), gi); c.orphan && err == nil && !p.Done { // it asks once more: what was broken off may arrive late
						gi.State = p.State
						p, err = d.Deprovision(t.Context(), gi)
					}
				} else {
					p, err = d.Unbind(t.Context(), gi, gb)
				}
				if err != nil || !p.Done || strings.HasSuffix(s.was(), "DELETE "+noun) == c.gone {
					t.Errorf("%s: the delete: %+v, %v, asked %s", noun, p, err, s.was())
				}
			}
		})
	}
}
