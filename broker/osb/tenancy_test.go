package osb_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/broker/osb"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

// as sends a request as another platform.
func (m *market) as(name string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(name, m.passwords[name]) }
}

func (m *market) mapped(name string) {
	m.t.Helper()
	var err error
	_, m.passwords[name], err = m.directory.RegisterPlatform(m.t.Context(), m.root, directory.NewPlatform{Name: name, Org: "acme", Project: "default", Mapped: true})
	m.ok(err)
}

// in is an order's body from an organisation and a space.
func (m *market) in(org, space, context string) string {
	return `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("sync") + `","organization_guid":"` + org + `","space_guid":"` + space + `","context":` + context + `}`
}

func (m *market) orgs() map[string]directory.Org {
	m.t.Helper()
	list, err := m.directory.Orgs(m.t.Context(), m.root)
	m.ok(err)
	named := map[string]directory.Org{}
	for _, o := range list {
		named[o.Name] = o
	}
	return named
}

func TestAPlatformsOrgsAndSpacesBecomeOursOnFirstSight(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, db *database.DB) { settles(t, newMarketOn(t, db, 5*time.Second)) })
}

func settles(t *testing.T, m *market) {
	t.Helper()
	m.mapped("cf-map")
	as := m.as("cf-map")
	const path = "/v2/service_instances/"
	shop := `{"platform":"cloudfoundry","organization_name":"My Org","space_name":"Dev & Test"}`
	m.is(m.ask("PUT", path+"refused", strings.Replace(m.in("o1", "s1", shop), `}`, `},"parameters":{"size":"no number"}`, 1), as), 400)
	if n := len(m.orgs()); n != 1 {
		t.Fatal("a refused order left an org", m.orgs())
	}
	var wg sync.WaitGroup
	for n := range 3 { // the first sight of one place, three times at once
		wg.Go(func() {
			if a := m.ask("PUT", path+fmt.Sprint("i-", n), m.in("o1", "s1", shop), as); a.status != 201 {
				t.Error(a.status, a.raw)
			}
		})
	}
	wg.Wait()
	renamed := `{"platform":"cloudfoundry","organization_name":"Another Name","space_name":"x"}`
	m.is(m.ask("PUT", path+"i-3", m.in("o1", "s1", renamed), as), 201)
	m.is(m.ask("PUT", path+"i-4", m.in("o1", "s2", shop), as), 201)                                                                // the space's name is taken
	m.is(m.ask("PUT", path+"i-5", m.in("o2", "s1", `{"platform":"cloudfoundry","organization_name":"acme"}`), as), 201)            // so is the org's, by a stranger
	m.is(m.ask("PUT", path+"i-6", m.in("c1", "n1", `{"platform":"kubernetes","clusterid":"c1","namespace":"payments"}`), as), 201) // as Kubernetes says it
	orgs := m.orgs()
	mine, taken, cluster := orgs["my-org"], orgs["acme-cf-map"], orgs["c1"]
	if len(orgs) != 4 || mine.ID == "" || taken.ID == "" || cluster.ID == "" || mine.Account != orgs["acme"].Account {
		t.Fatal(orgs)
	}
	projects, err := m.directory.Projects(t.Context(), m.root, mine.ID)
	m.ok(err)
	if len(projects) != 2 || projects[0].Name != "dev-test" || !strings.HasPrefix(projects[1].Name, "dev-test-") {
		t.Fatal(projects)
	}
	list, err := m.broker.Instances(t.Context(), m.root, identity.Scope{Org: mine.ID, Project: projects[0].ID})
	if err != nil || len(list) != 4 {
		t.Fatal(list, err)
	}
	m.is(m.ask("GET", path+"i-4", "", as), 200)
	m.is(m.ask("GET", path+"i-4", ""), 404) // another platform
	m.is(m.ask("DELETE", path+"i-4"+m.query("sync"), ""), 410)
	m.is(m.ask("DELETE", path+"i-4"+m.query("sync"), "", as), 200)
	m.is(m.ask("DELETE", path+"never"+m.query("sync"), "", as), 410)
	m.is(m.ask("GET", "/v2/catalog", "", as), 200)
}

func TestAnAppGUIDBecomesAnApp(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.mapped("cf-map")
	as := m.as("cf-map")
	const i = "/v2/service_instances/i"
	m.is(m.ask("PUT", i, m.in("o1", "s1", `{"organization_name":"north","space_name":"dev"}`), as), 201)
	bind := func(app string) string {
		return `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("sync") + `"` + app + `}`
	}
	web := bind(`,"app_guid":"g-1","bind_resource":{"app_guid":"g-1","app_annotations":{"name":"Web_Shop"}}`)
	m.is(m.ask("PUT", i+"/service_bindings/b-1", web, as), 201)
	m.is(m.ask("PUT", i+"/service_bindings/b-1", web, as), 200)
	m.is(m.ask("PUT", i+"/service_bindings/b-1", bind(`,"app_guid":"g-2"`), as), 409)
	m.is(m.ask("PUT", i+"/service_bindings/b-2", bind(`,"app_guid":"","bind_resource":{"app_guid":""}`), as), 201)
	m.is(m.ask("PUT", i+"/service_bindings/b-3", bind(""), as), 201)
	p, err := m.directory.Project(t.Context(), m.root, "north", "dev")
	m.ok(err)
	apps, err := m.directory.Apps(t.Context(), m.root, p.ID)
	if err != nil || len(apps) != 1 || apps[0].Name != "web-shop" {
		t.Fatal("want the one app that was bound", apps, err)
	}
	bindings, err := m.broker.Bindings(t.Context(), m.root, "", apps[0].ID, "")
	if err != nil || len(bindings) != 1 || bindings[0].Alias == "" || bindings[0].AppName != "web-shop" {
		t.Fatal(bindings, err)
	}
}

func TestAPlatformSeesItsOwnPlans(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.broker.Terms = map[string][]catalog.Terms{"fakes": {{Offering: "fake", Plans: []catalog.PlanTerms{
		{Name: "sync", Visibility: catalog.Visibility{Platforms: []string{"cf-us"}}}, {Name: "rotatable"},
	}}}}
	_, err := m.broker.Refresh(t.Context(), time.Minute)
	m.ok(err)
	hidden := m.plan("sync")
	for name, sees := range map[string]bool{"cf-eu": false, "cf-us": true} {
		if a := m.is(m.ask("GET", "/v2/catalog", "", m.as(name)), 200); strings.Contains(a.raw, hidden) != sees {
			t.Errorf("%s: %s", name, a.raw)
		}
	}
	m.is(m.ask("PUT", "/v2/service_instances/i", m.order("sync", "")), 400)
	m.is(m.ask("PUT", "/v2/service_instances/i", m.order("sync", ""), m.as("cf-us")), 201)
}

func TestTwoPasswordsAreGoodDuringARotation(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	former := m.passwords["cf-eu"]
	var err error
	_, m.passwords["cf-eu"], err = m.directory.RotatePlatform(t.Context(), m.root, "cf-eu", time.Hour)
	m.ok(err)
	old := func(r *http.Request) { r.SetBasicAuth("cf-eu", former) }
	m.is(m.ask("GET", "/v2/catalog", ""), 200)
	m.is(m.ask("GET", "/v2/catalog", "", old), 200)
	former = m.passwords["cf-eu"]
	_, m.passwords["cf-eu"], err = m.directory.RotatePlatform(t.Context(), m.root, "cf-eu", 0)
	m.ok(err)
	m.is(m.ask("GET", "/v2/catalog", ""), 200)
	m.is(m.ask("GET", "/v2/catalog", "", old), 401)
}

// Behind a trusted proxy all platforms come from one connection's address; the front door knows better, and its word counts.
func TestWrongPasswordsAreCountedByTheRealAddress(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	h := osb.Handler(osb.Config{Broker: m.broker, Directory: m.directory})
	m.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(identity.With(r.Context(), identity.Principal{RemoteIP: r.Header.Get("Test-Address")})))
	}))
	t.Cleanup(m.server.Close)
	from := func(address string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Test-Address", address) }
	}
	wrong := func(r *http.Request) { r.SetBasicAuth("cf-eu", "wrong") }
	for range 10 {
		m.is(m.ask("GET", "/v2/catalog", "", wrong, from("192.0.2.1")), 401)
	}
	m.is(m.ask("GET", "/v2/catalog", "", from("192.0.2.1")), 429)
	m.is(m.ask("GET", "/v2/catalog", "", from("192.0.2.2")), 200)
}

func TestOriginatingIdentityIsReadStrictly(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	b64 := base64.StdEncoding.EncodeToString
	for name, c := range map[string]struct {
		header string
		want   int
	}{
		"none":                {"", 201},
		"cloud foundry's":     {"cloudfoundry " + b64([]byte(`{"user_id":"u"}`)), 201},
		"another platform's":  {"kubernetes " + b64([]byte(`{"username":"u"}`)), 400},
		"no value":            {"cloudfoundry", 400},
		"no base64":           {"cloudfoundry {}", 400},
		"two values":          {"cloudfoundry " + b64([]byte(`{}`)) + " x", 400},
		"no object":           {"cloudfoundry " + b64([]byte(`["u"]`)), 400},
		"null":                {"cloudfoundry " + b64([]byte(`null`)), 400},
		"duplicate keys":      {"cloudfoundry " + b64([]byte(`{"a":1,"a":2}`)), 400},
		"a platform of signs": {"<cf> " + b64([]byte(`{}`)), 400},
		"too long":            {"cloudfoundry " + b64([]byte(`{"a":"`+strings.Repeat("x", 4096)+`"}`)), 400},
	} {
		t.Run(name, func(t *testing.T) {
			path := "/v2/service_instances/" + b64([]byte(name))
			m.is(m.ask("PUT", strings.ReplaceAll(path, "=", "-"), m.order("sync", `,"context":{"platform":"cloudfoundry"}`), func(r *http.Request) {
				if c.header != "" {
					r.Header.Set("X-Broker-API-Originating-Identity", c.header)
				}
			}), c.want)
		})
	}
}
