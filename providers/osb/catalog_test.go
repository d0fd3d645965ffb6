package osb_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/osb"
)

func TestTheCatalogInOurWords(t *testing.T) {
	s := upstream(t, map[string][]reply{})
	list, err := s.driver(func(o *osb.Settings) { o.Prefix = "acme-" }).Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	o := list[0]
	if o.Name != "acme-big-db" || o.Kind != "postgresql" || !o.Bindable || len(o.Plans) != 2 {
		t.Fatalf("%+v", o)
	}
	small, large := o.Plans[0], o.Plans[1]
	if small.Name != "small" || !small.Rotatable || large.Rotatable || small.Maintenance.Version != "1.2.0" || small.MaxPolling != 10*time.Minute || !small.Free() || small.Unpriced != "" {
		t.Errorf("small: %+v", small)
	}
	if r := large.Prices["EUR"]; len(r) != 1 || r[0].Amount.String() != "12.50" || r[0].Model != "fixed" || len(large.Prices) != 1 {
		t.Errorf("large costs %+v", large.Prices)
	}
	c, problems := catalog.Assemble("EUR", []catalog.Source{{Provider: "acme", Region: "eu", Offerings: list}})
	if len(problems) != 0 || len(c.Offerings()) != 1 {
		t.Errorf("not sold: %v", problems)
	}
}

// TestTwoUpstreamsOfOneBroker: the same catalog twice gives no id twice, and ids stay when the upstream is asked again.
func TestTwoUpstreamsOfOneBroker(t *testing.T) {
	s := upstream(t, map[string][]reply{})
	seen := map[string]string{}
	for _, name := range []string{"east", "west", "east"} {
		list, err := s.driver(func(o *osb.Settings) { o.Prefix = name + "-" }).Offerings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		c, problems := catalog.Assemble("EUR", []catalog.Source{{Provider: name, Offerings: list}})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		for _, o := range c.Offerings() {
			for _, p := range o.Plans {
				if by, there := seen[p.ID]; there && by != name || p.ID == "p2" {
					t.Errorf("the plan id %s is of %s and of %s", p.ID, by, name)
				}
				seen[p.ID] = name
			}
		}
	}
	if len(seen) != 4 {
		t.Errorf("%d plan ids", len(seen))
	}
}

func TestNamesThatClash(t *testing.T) {
	one := func(names ...string) string {
		var all []string
		for n, name := range names {
			all = append(all, fmt.Sprintf(`{"id":"%d-%s","name":%q,"description":"d","plans":[{"id":"p","name":"p","description":"p"}]}`, n, name, name))
		}
		return `{"services":[` + strings.Join(all, ",") + `]}`
	}
	s := upstream(t, map[string][]reply{"GET catalog": {{status: 200, body: one("my db", "my-db", "My DB", "数据库", strings.Repeat("x", 80))}}})
	list, err := s.driver().Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, o := range list {
		if seen[o.Name] {
			t.Errorf("%q is there twice", o.Name)
		}
		seen[o.Name] = true
	}
	c, problems := catalog.Assemble("EUR", []catalog.Source{{Provider: "x", Offerings: list}})
	if len(problems) > 0 || len(c.Offerings()) != 5 || !seen["my-db"] {
		t.Errorf("%v %v", problems, seen)
	}
}

func TestTheCatalogIsAskedForOnlyWhenItIsOld(t *testing.T) {
	tagged := func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"one"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"one"`)
		_, _ = w.Write([]byte(shelf))
	}
	s := upstream(t, map[string][]reply{"GET catalog": {{do: tagged}}})
	d := s.driver(func(o *osb.Settings) { o.Refresh = time.Hour })
	for range 3 {
		if _, err := d.Offerings(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(s.asked) != 1 {
		t.Errorf("asked %d times", len(s.asked))
	}
	d = s.driver(func(o *osb.Settings) { o.Refresh = time.Nanosecond })
	for range 2 {
		if list, err := d.Offerings(t.Context()); err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
	}
	if s.last("GET catalog").header.Get("If-None-Match") != `"one"` {
		t.Error("the tag was not sent")
	}
}

func TestCatalogsThatAreNone(t *testing.T) {
	for name, r := range map[string]reply{
		"no JSON": {status: 200, body: "<html>"}, "no services": {status: 200, body: `{}`}, "failed": {status: 500}, "refused": {status: 403}, "missing": {status: 404},
		"an id twice": {status: 200, body: `{"services":[{"id":"a","name":"a"},{"id":"a","name":"b"}]}`},
		"a giant":     {status: 200, body: `{"services":[],"x":"` + strings.Repeat("x", 5<<20) + `"}`},
		"not changed": {status: 304},
	} {
		d := upstream(t, map[string][]reply{"GET catalog": {r, {status: 200, body: shelf}}}).driver()
		if list, err := d.Offerings(t.Context()); err == nil {
			t.Errorf("%s: %v", name, list)
		} else if k := fault.KindOf(err); k != fault.Unavailable && k != fault.ProviderFailed {
			t.Errorf("%s: %v", name, k)
		}
		if list, err := d.Offerings(t.Context()); err != nil || len(list) != 1 {
			t.Errorf("%s: asked again: %v", name, err)
		}
	}
	none := upstream(t, map[string][]reply{"GET catalog": {{status: 200, body: `{"services":[]}`}}})
	if list, err := none.driver().Offerings(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("an empty one: %v %v", list, err)
	}
}

// TestWhatIsNotSold: what cannot be sold is named with its reason, and takes nothing else off the shelf.
func TestWhatIsNotSold(t *testing.T) {
	for name, c := range map[string]struct {
		offering, plan string // more of the JSON
		rates          []catalog.Rate
		says           string // "" means that it is sold
	}{
		"free":               {"", `"free":true`, nil, ""},
		"nothing said":       {"", `"metadata":{}`, nil, ""},
		"costs nothing":      {"", `"free":false,"metadata":{"costs":[{"amount":{"usd":0},"unit":"HOURLY"},{"amount":{"eur":1},"unit":"Monthly"}]}`, nil, ""},
		"no price":           {"", `"free":false`, nil, "not free, and not what it costs"},
		"no price but rates": {"", `"free":false`, []catalog.Rate{{Name: "x", Model: "fixed", Per: "month"}}, ""},
		"another currency":   {"", `"free":false,"metadata":{"costs":[{"amount":{"usd":5},"unit":"MONTHLY"}]}`, nil, "5 USD (MONTHLY), and the market's currency is EUR"},
		"another unit":       {"", `"free":false,"metadata":{"costs":[{"amount":{"eur":5},"unit":"1GB of messages"}]}`, nil, "no monthly price"},
		"below zero":         {"", `"free":false,"metadata":{"costs":[{"amount":{"eur":-5},"unit":"MONTHLY"}]}`, nil, "an amount that is none"},
		"volumes":            {`"requires":["volume_mount"],`, `"free":true`, nil, "volume_mount"},
		"log drains":         {`"requires":["syslog_drain","route_forwarding"],`, `"free":true`, nil, "syslog_drain and route_forwarding"},
	} {
		s := upstream(t, map[string][]reply{"GET catalog": {{status: 200, body: `{"services":[{"id":"s","name":"s","description":"d",` + c.offering +
			`"plans":[{"id":"p","name":"p","description":"p",` + c.plan + `},{"id":"q","name":"q","description":"q"}]}]}`}}})
		list, err := s.driver().Offerings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		source := catalog.Source{Provider: "x", Offerings: list}
		if c.rates != nil {
			source.Terms = []catalog.Terms{{Offering: "s", Plans: []catalog.PlanTerms{{Name: "renamed", From: "p", Rates: c.rates}}}}
		}
		got, problems := catalog.Assemble("EUR", []catalog.Source{source})
		text := fmt.Sprint(problems)
		if c.says == "" && len(problems) > 0 || !strings.Contains(text, c.says) {
			t.Errorf("%s: %s", name, text)
		}
		if offerings := got.Offerings(); c.offering == "" && (len(offerings) != 1 || c.says != "" && len(offerings[0].Plans) != 1) {
			t.Errorf("%s: the rest went with it: %+v", name, offerings)
		} else if c.rates != nil && (offerings[0].Plans[0].Origin != "s/p" || offerings[0].Plans[0].Prices["EUR"] == nil) {
			t.Errorf("%s: sold as %+v", name, offerings[0].Plans[0])
		}
	}
}

func TestSchemasArePassedOn(t *testing.T) {
	own := `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object","properties":{"size":{"type":"integer"}}}`
	s := upstream(t, map[string][]reply{"GET catalog": {{status: 200, body: `{"services":[{"id":"s","name":"s","description":"d","plans":[{"id":"p","name":"p","description":"p","schemas":{"service_instance":{
 "create":{"parameters":` + own + `},"update":{"parameters":{"type":"nonsense"}}}}}]}]}`}}})
	list, err := s.driver().Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	got := list[0].Plans[0].Schemas
	if string(got.Create) != own || !strings.Contains(string(got.Bind), `"object"`) || strings.Contains(string(got.Update), "nonsense") {
		t.Errorf("%s %s %s", got.Create, got.Update, got.Bind)
	}
}
