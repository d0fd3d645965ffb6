package osb_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

// What is wrong with a request is said before what is wrong with the platform's patience: the instance's own plan decides whether it had to wait.
func TestTheOrderOfRefusals(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i, none, async = "/v2/service_instances/i", "/v2/service_instances/none", "?accepts_incomplete=true"
	const b = "/service_bindings/b"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	m.is(m.ask("PUT", i+b, m.toPlan("sync")), 201)
	if a := m.ask("PUT", i+"-slow"+async, m.order("async", "")); a.status != 201 {
		m.is(a, 202)
	}
	if m.done(i+"-slow") != "succeeded" {
		t.Fatal("not made")
	}
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code                     any
	}{
		{"a delete that names another, slow plan", "DELETE", i + m.query("async"), "", 400, nil},
		{"an unbind that does", "DELETE", i + b + m.query("async"), "", 400, nil},
		{"a bind that does", "PUT", i + "/service_bindings/b2", m.toPlan("async"), 400, nil},
		{"an update of another service", "PATCH", i, `{"service_id":"else","plan_id":"` + m.plan("async") + `"}`, 400, nil},
		{"an order whose parameters do not fit", "PUT", i + "-new", m.order("async", `,"parameters":{"size":99}`), 400, nil},
		{"an order of another service's plan", "PUT", i + "-new", strings.Replace(m.order("async", ""), m.offering.ID, "else", 1), 400, nil},
		{"an update whose parameters do not fit", "PATCH", i + "-slow", m.patch(`,"parameters":{"size":99}`), 400, nil},
		{"a bind whose parameters do not fit", "PUT", i + "-slow" + b, m.patch(`,"plan_id":"` + m.plan("async") + `","parameters":{"size":99}`), 400, nil},
		{"a rotation of nothing", "PUT", i + "-slow" + b, `{"predecessor_binding_id":"none"}`, 400, nil},
		{"an order of a slow plan", "PUT", i + "-new", m.order("async", ""), 422, "AsyncRequired"},
		{"an update to a slow plan", "PATCH", i, m.toPlan("async"), 422, "AsyncRequired"},
		{"an update of a slow one", "PATCH", i + "-slow", m.patch(`,"parameters":{"size":9}`), 422, "AsyncRequired"},
		{"a bind of a slow one", "PUT", i + "-slow" + b, m.toPlan("async"), 422, "AsyncRequired"},
		{"an unbind of nothing from a slow one", "DELETE", i + "-slow" + b + m.query("async"), "", 422, "AsyncRequired"},
		{"a delete of a slow one", "DELETE", i + "-slow" + m.query("async"), "", 422, "AsyncRequired"},
		{"a delete of nothing that names a slow plan", "DELETE", none + m.query("async"), "", 422, "AsyncRequired"},
		{"a bind of nothing that does", "PUT", none + b, m.toPlan("async"), 422, "AsyncRequired"},
		{"a delete of nothing", "DELETE", none + m.query("sync"), "", 410, nil},
		{"an update of nothing", "PATCH", none, m.toPlan("sync"), 404, nil},
		{"a version that no plan has, and wrong parameters", "PUT", i + "-new", m.order("maintained", `,"maintenance_info":{"version":"9.9.9"},"parameters":{"size":99}`), 400, nil},
		{"a version that no plan has", "PUT", i + "-new", m.order("maintained", `,"maintenance_info":{"version":"9.9.9"}`), 422, "MaintenanceInfoConflict"},
		{"the broker's own word for a version", "PATCH", i, m.patch(`,"maintenance_info":{"version":"newest"}`), 422, "MaintenanceInfoConflict"},
		{"a plan by its name", "PUT", i + "-new", strings.Replace(m.order("sync", ""), m.plan("sync"), "sync", 1), 400, nil},
		{"a service by its name", "PUT", i + "-new", strings.Replace(m.order("sync", ""), m.offering.ID, m.offering.Name, 1), 400, nil},
		{"a change to a plan by its name", "PATCH", i, m.patch(`,"plan_id":"rotatable"`), 400, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.t = t
			if a := m.is(m.ask(c.method, c.path, c.body), c.status); a.body["error"] != c.code {
				t.Fatal(a.raw)
			}
		})
	}
	m.t = t
	m.is(m.ask("GET", i+"-new", ""), 404)
	m.is(m.ask("GET", i+b, ""), 200)
}

// A change of plan keeps the parameters; a plan that does not take them is refused by the place and the reason, and nothing is changed.
func TestAPlanThatDoesNotTakeWhatIsKept(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i, async = "/v2/service_instances/i", "?accepts_incomplete=true"
	size := m.order("async", `,"parameters":{"size":3}`)
	if a := m.ask("PUT", i+async, size); a.status != 201 {
		m.is(a, 202)
	}
	if m.done(i) != "succeeded" {
		t.Fatal("not made")
	}
	a := m.is(m.ask("PATCH", i+async, m.toPlan("sync")), 400)
	if text := fmt.Sprint(a.body["description"]); !strings.Contains(text, "/size is not known") || !strings.Contains(text, "sync") || strings.Contains(text, "3") {
		t.Fatal(a.raw)
	}
	if m.driver.Calls("update") != 0 {
		t.Fatal("a refused change reached the provider")
	}
	if a := m.is(m.ask("GET", i, ""), 200); a.body["plan_id"] != m.plan("async") || fmt.Sprint(a.body["parameters"]) != "map[size:3]" {
		t.Fatal(a.raw)
	}
	m.is(m.ask("PUT", i+async, size), 200) // as it was
	if a := m.ask("PATCH", i+async, m.toPlan("maintained")); a.status != 200 {
		m.is(a, 202)
	}
	if m.done(i) != "succeeded" {
		t.Fatal("a plan that takes them was refused")
	}
	m.is(m.ask("PUT", i, m.order("maintained", `,"parameters":{"size":3}`)), 200)
	m.is(m.ask("PUT", i+async, size), 409) // it is no longer so
}

// The same order again is the same instance, whatever the catalog and the schemas have become meanwhile; so is the same bind.
func TestTheSameOrderWhenItIsNoLongerSold(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i"
	order := m.order("maintained", `,"maintenance_info":{"version":"2.1.0"},"parameters":{"size":3}`)
	m.is(m.ask("PUT", i, order), 201)
	plain := m.order("rotatable", "")
	m.is(m.ask("PUT", i+"-plain", plain), 201)
	bind := m.toPlan("maintained")
	m.is(m.ask("PUT", i+"/service_bindings/b", bind), 201)
	service := m.offering
	m.broker.Terms = map[string][]catalog.Terms{"fakes": {{Plans: []catalog.PlanTerms{{Name: "sync"}}}}}
	_, err := m.broker.Refresh(t.Context(), time.Minute)
	m.ok(err)
	if a := m.is(m.ask("GET", "/v2/catalog", ""), 200); strings.Contains(a.raw, m.plan("maintained")) || !strings.Contains(a.raw, service.ID) {
		t.Fatal(a.raw)
	}
	m.is(m.ask("PUT", i, order), 200)
	m.is(m.ask("PUT", i+"-plain", plain), 200)
	m.is(m.ask("PUT", i+"/service_bindings/b", bind), 200)
	m.is(m.ask("PUT", i, strings.Replace(order, ":3", ":4", 1)), 400)
	m.is(m.ask("PUT", i, strings.Replace(order, "2.1.0", "9.9.9", 1)), 200) // which version it had to be, nobody knows any more
	m.is(m.ask("PUT", i+"-2", order), 400)
	m.is(m.ask("PUT", i+"/service_bindings/b", strings.TrimSuffix(bind, "}")+`,"app_guid":"a"}`), 409)
	m.is(m.ask("DELETE", i+m.query("maintained"), ""), 200)
	m.is(m.ask("PUT", i, order), 400)
}

// The same id for another organisation or space is another order, on a platform with one fixed project and on one that is mapped.
func TestTheSameOrderForAnotherPlace(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarketOn(t, db, 5*time.Second)
		m.mapped("cf-map")
		const i = "/v2/service_instances/i"
		for _, platform := range []string{"cf-eu", "cf-map"} {
			as := m.as(platform)
			m.is(m.ask("PUT", i, m.in("o1", "s1", `{}`), as), 201)
			orgs := len(m.orgs())
			for _, other := range [][2]string{{"o2", "s1"}, {"o1", "s2"}, {"o2", "s2"}} {
				m.is(m.ask("PUT", i, m.in(other[0], other[1], `{}`), as), 409)
			}
			if n := len(m.orgs()); n != orgs {
				t.Error(platform, "a refused order left an org", m.orgs())
			}
			m.is(m.ask("PUT", i, m.in("o1", "s1", `{"platform":"cloudfoundry","space_name":"renamed"}`), as), 200)
		}
		if n := m.driver.Calls("provision"); n != 2 {
			t.Error("made", n)
		}
	})
}

// Of a rotation nothing but its predecessor counts: no app is made for one that it names, and it stays the same order when its predecessor is
// long gone and the name used again.
func TestARotationIsItsPredecessorsOwn(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i"
	m.is(m.ask("PUT", i, m.order("rotatable", "")), 201)
	ids := strings.TrimSuffix(m.toPlan("rotatable"), "}")
	m.is(m.ask("PUT", i+"/service_bindings/b-1", ids+`,"app_guid":"g-1"}`), 201)
	rotation := `{"predecessor_binding_id":"b-1","app_guid":"g-2"}`
	m.is(m.ask("PUT", i+"/service_bindings/b-2", rotation), 201)
	p, err := m.directory.Project(t.Context(), m.root, "acme", "default")
	m.ok(err)
	if apps, err := m.directory.Apps(t.Context(), m.root, p.ID); err != nil || len(apps) != 1 {
		t.Fatal("want the one app that was bound", apps, err)
	}
	m.is(m.ask("DELETE", i+"/service_bindings/b-1"+m.query("rotatable"), ""), 200)
	m.is(m.ask("PUT", i+"/service_bindings/b-2", rotation), 200)
	m.is(m.ask("PUT", i+"/service_bindings/b-1", ids+`,"app_guid":"g-1"}`), 201)
	m.is(m.ask("PUT", i+"/service_bindings/b-2", rotation), 200)
	m.is(m.ask("PUT", i+"/service_bindings/b-3", `{"predecessor_binding_id":"b-1"}`), 201)
}

// A rotation names no app: its predecessor's is the app, on a plan for apps only, too.
func TestARotationOnAPlanForAppsOnly(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.broker.Terms = map[string][]catalog.Terms{"fakes": {{Plans: []catalog.PlanTerms{{Name: "rotatable", AppOnly: true}}}}}
	_, err := m.broker.Refresh(t.Context(), time.Minute)
	m.ok(err)
	const i = "/v2/service_instances/i"
	m.is(m.ask("PUT", i, m.order("rotatable", "")), 201)
	ids := strings.TrimSuffix(m.toPlan("rotatable"), "}")
	if a := m.is(m.ask("PUT", i+"/service_bindings/b-1", ids+"}"), 422); a.body["error"] != "RequiresApp" {
		t.Fatal(a.raw)
	}
	m.is(m.ask("PUT", i+"/service_bindings/b-1", ids+`,"app_guid":"g-1"}`), 201)
	m.is(m.ask("PUT", i+"/service_bindings/b-2", `{"predecessor_binding_id":"b-1"}`), 201)
}
