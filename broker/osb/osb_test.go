package osb_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/sutlerhq/sutler/broker/osb"
)

func TestCatalog(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	a := m.is(m.ask("GET", "/v2/catalog", ""), 200)
	service := a.body["services"].([]any)[0].(map[string]any)
	if service["id"] != m.offering.ID || len(service["tags"].([]any)) == 0 || strings.Contains(a.raw, "null") {
		t.Fatal(a.raw)
	}
	for _, p := range service["plans"].([]any) {
		plan := p.(map[string]any)
		for _, key := range []string{"free", "bindable", "description"} {
			if _, ok := plan[key]; !ok {
				t.Errorf("%s lacks %s", plan["name"], key)
			}
		}
		schemas := plan["schemas"].(map[string]any)
		instance, binding := schemas["service_instance"].(map[string]any), schemas["service_binding"].(map[string]any)
		for _, s := range []any{instance["create"], instance["update"], binding["create"]} {
			parameters := s.(map[string]any)["parameters"].(map[string]any)
			if parameters["$schema"] == nil || parameters["type"] != "object" {
				t.Errorf("%s: %v", plan["name"], parameters)
			}
		}
		if _, maintained := plan["maintenance_info"]; maintained != (plan["name"] == "maintained") {
			t.Errorf("%s: maintenance_info %v", plan["name"], maintained)
		}
	}
}

func TestALifeInSync(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("sync", `,"context":{"platform":"cloudfoundry","instance_name":"My DB"},"parameters":null`)), 201)
	m.is(m.ask("PUT", i, m.order("sync", "")), 200)
	m.is(m.ask("PUT", i, m.order("rotatable", "")), 409)
	got := m.is(m.ask("GET", i, ""), 200)
	if _, ok := got.body["parameters"].(map[string]any); !ok || got.body["plan_id"] != m.plan("sync") {
		t.Fatal(got.raw)
	}
	body := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("sync") + `","app_guid":"","bind_resource":{"app_guid":""}}`
	first := m.is(m.ask("PUT", i+"/service_bindings/b-1", body), 201)
	again := m.is(m.ask("PUT", i+"/service_bindings/b-1", body), 200)
	fetched := m.is(m.ask("GET", i+"/service_bindings/b-1", ""), 200)
	want := fmt.Sprint(first.body["credentials"])
	if !strings.Contains(want, "fake://") || fmt.Sprint(again.body["credentials"]) != want || fmt.Sprint(fetched.body["credentials"]) != want {
		t.Fatal(first.raw, again.raw, fetched.raw)
	}
	m.is(m.ask("DELETE", i+"/service_bindings/b-1"+m.query("sync"), ""), 200)
	m.is(m.ask("DELETE", i+"/service_bindings/b-1"+m.query("sync"), ""), 410)
	m.is(m.ask("GET", i+"/service_bindings/b-1", ""), 404)
	m.is(m.ask("DELETE", i+m.query("sync"), ""), 200)
	m.is(m.ask("DELETE", i+m.query("sync"), ""), 410)
	m.is(m.ask("GET", i, ""), 404)
	if a := m.is(m.ask("GET", i+"/last_operation", ""), 200); a.body["state"] != "succeeded" {
		t.Fatal(a.raw)
	}
	m.is(m.ask("PUT", i, m.order("sync", "")), 201) // the same id again is a new instance
}

func TestALifeInAsync(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i, async = "/v2/service_instances/i%2F1%20%22x%22", "?accepts_incomplete=true"
	m.is(m.ask("PUT", i, m.order("async", "")), 422)
	first := m.is(m.ask("PUT", i+async, m.order("async", `,"parameters":{"size":3}`)), 202)
	again := m.is(m.ask("PUT", i+async, m.order("async", `,"parameters":{"size":3}`)), 202)
	if first.body["operation"] == nil || first.body["operation"] != again.body["operation"] {
		t.Fatal(first.raw, again.raw)
	}
	m.is(m.ask("PUT", i+async, m.order("async", `,"parameters":{"size":4}`)), 409)
	m.is(m.ask("GET", i, ""), 404)
	bind := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("async") + `"}`
	if a := m.is(m.ask("PUT", i+"/service_bindings/b"+async, bind), 422); a.body["error"] != "ConcurrencyError" {
		t.Fatal(a.raw)
	}
	if s := m.done(i); s != "succeeded" {
		t.Fatal(s)
	}
	if a := m.is(m.ask("GET", i, ""), 200); fmt.Sprint(a.body["parameters"]) != "map[size:3]" {
		t.Fatal(a.raw)
	}
	if a := m.is(m.ask("PUT", i+"/service_bindings/b", bind), 422); a.body["error"] != "AsyncRequired" {
		t.Fatal(a.raw)
	}
	hold := m.driver.Hang("bind")
	bound := m.is(m.ask("PUT", i+"/service_bindings/b"+async, bind), 202)
	hold.Release()
	if bound.body["credentials"] != nil || bound.body["operation"] == nil {
		t.Fatal(bound.raw)
	}
	if s := m.done(i + "/service_bindings/b"); s != "succeeded" {
		t.Fatal(s)
	}
	m.is(m.ask("PUT", i+"/service_bindings/b"+async, bind), 200)
	m.is(m.ask("DELETE", i+m.query("async"), ""), 422)
	gone := m.is(m.ask("DELETE", i+m.query("async")+"&accepts_incomplete=true", ""), 202)
	same := m.is(m.ask("DELETE", i+m.query("async")+"&accepts_incomplete=true", ""), 202)
	if gone.body["operation"] != same.body["operation"] {
		t.Fatal(gone.raw, same.raw)
	}
	if s := m.done(i); s != "succeeded" {
		t.Fatal(s)
	}
	m.is(m.ask("DELETE", i+m.query("async")+"&accepts_incomplete=true", ""), 410)
}

func TestADeleteDuringACreate(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	hold := m.driver.Hang("provision")
	const i = "/v2/service_instances/halted"
	m.is(m.ask("PUT", i+"?accepts_incomplete=true", m.order("async", "")), 202)
	<-hold.Entered
	m.is(m.ask("DELETE", i+m.query("async")+"&accepts_incomplete=true", ""), 202)
	if s := m.done(i); s != "succeeded" {
		t.Fatal(s)
	}
	if left, err := m.driver.Leftovers(); err != nil || len(left) > 0 {
		t.Fatal(left, err)
	}
}

// Every route is closed to strangers, and a platform finds nothing of another's on any of them.
func TestEveryRouteIsClosedToOthers(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.is(m.ask("PUT", "/v2/service_instances/i", m.order("sync", "")), 201)
	bind := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("sync") + `"}`
	m.is(m.ask("PUT", "/v2/service_instances/i/service_bindings/b", bind), 201)
	routes, ok := osb.Router(m.server.Config.Handler).(chi.Routes)
	if !ok {
		t.Fatal("no router")
	}
	walked := 0
	err := chi.Walk(routes, func(method, route string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
		walked++
		path := strings.NewReplacer("{instance_id}", "i", "{binding_id}", "b").Replace(route)
		m.is(m.ask(method, path, bind, func(r *http.Request) { r.Header.Del("Authorization") }), 401)
		other := func(r *http.Request) { r.SetBasicAuth("cf-us", m.passwords["cf-us"]) }
		if method == "PUT" && !strings.Contains(route, "binding") || strings.HasSuffix(route, "catalog") {
			return nil // its own id space: TestPlatformsNeverSeeEachOther
		}
		absent := strings.Replace(path, "/i", "/none", 1)
		theirs, none := m.ask(method, path+m.query("sync"), bind, other), m.ask(method, absent+m.query("sync"), bind, other)
		if theirs.status < 400 || theirs.status != none.status || strings.ReplaceAll(theirs.raw, `"i\"`, "") != strings.ReplaceAll(none.raw, `"none\"`, "") {
			t.Errorf("%s %s: %d %s, not there: %d %s", method, route, theirs.status, theirs.raw, none.status, none.raw)
		}
		return nil
	})
	if err != nil || walked != 10 {
		t.Fatal(walked, err)
	}
	m.is(m.ask("GET", "/v2/service_instances/i/service_bindings/b", ""), 200)
}

func TestAFailureSaysWhy(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	a := m.is(m.ask("PUT", "/v2/service_instances/f", m.order("failing", "")), 502)
	if !strings.Contains(a.raw, "refuses") {
		t.Fatal(a.raw)
	}
	if a := m.is(m.ask("GET", "/v2/service_instances/f/last_operation", ""), 200); a.body["state"] != "failed" {
		t.Fatal(a.raw)
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	const i = "/v2/service_instances/r-1"
	deep := `{"context":` + strings.Repeat(`{"a":`, 70) + "1" + strings.Repeat("}", 70) + "}"
	for _, c := range []struct {
		name, method, path, body string
		change                   func(*http.Request)
		status                   int
		says                     string
	}{
		{"no credentials", "GET", "/v2/catalog", "", header("Authorization", ""), 401, "Basic"},
		{"wrong credentials and no version", "GET", "/v2/catalog", "", func(r *http.Request) { r.SetBasicAuth("cf-eu", "x"); r.Header.Del("X-Broker-API-Version") }, 401, ""},
		{"no version and a bad body", "PUT", i, "{", func(r *http.Request) { r.Header.Del("X-Broker-API-Version") }, 412, "missing"},
		{"an empty version", "GET", "/v2/catalog", "", header("X-Broker-API-Version", ""), 412, ""},
		{"another major version", "GET", "/v2/catalog", "", header("X-Broker-API-Version", "3.0"), 412, ""},
		{"malformed JSON", "PUT", i, "{", nil, 400, ""},
		{"an empty body", "PUT", i, "", nil, 400, ""},
		{"an array", "PUT", i, "[]", nil, 400, "object"},
		{"a key twice", "PUT", i, `{"a":1,"a":2}`, nil, 400, `"description":"The JSON document cannot be accepted: /a is given twice."`},
		{"a parameter that is not known", "PUT", i, m.order("sync", `,"parameters":{"x":1}`), nil, 400, `: /x is not known`},
		{"a plan in other letters", "PUT", i, strings.Replace(m.order("sync", ""), "plan_id", "Plan_ID", 1), nil, 400, "plan_id"},
		{"too deep", "PUT", i, deep, nil, 400, ""},
		{"too large", "PUT", i, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`, nil, 413, ""},
		{"a wrong type", "PUT", i, `{"service_id":7}`, nil, 400, "service_id"},
		{"no organization", "PUT", i, `{"service_id":"s","plan_id":"p","space_guid":"s"}`, nil, 400, "organization_guid"},
		{"no service", "PUT", i, `{"plan_id":"p","organization_guid":"o","space_guid":"s"}`, nil, 400, "service_id"},
		{"an unknown plan", "PUT", i, strings.Replace(m.order("sync", ""), m.plan("sync"), "nope", 1), nil, 400, "plan"},
		{"parameters that are no object", "PUT", i, m.order("async", `,"parameters":"x"`), nil, 400, "parameters"},
		{"parameters that do not fit", "PUT", i + "?accepts_incomplete=true", m.order("async", `,"parameters":{"size":"hush"}`), nil, 400, "size"},
		{"a maintenance version that is not", "PUT", i, m.order("maintained", `,"maintenance_info":{"version":"9.9.9"}`), nil, 422, ""},
		{"a malformed originating identity", "GET", "/v2/catalog", "", header("X-Broker-API-Originating-Identity", "cf !!"), 400, ""},
		{"accepts_incomplete that is neither", "PUT", i + "?accepts_incomplete=maybe", m.order("sync", ""), nil, 400, ""},
		{"an id too long", "GET", "/v2/service_instances/" + strings.Repeat("x", 256), "", nil, 400, ""},
		{"a control character", "GET", "/v2/service_instances/a%00b", "", nil, 400, ""},
		{"an unknown endpoint", "GET", "/v2/nothing", "", nil, 404, ""},
		{"an unknown method", "POST", "/v2/catalog", "", nil, 405, ""},
		{"an instance that is not there", "GET", i, "", nil, 404, ""},
		{"its last operation", "GET", i + "/last_operation", "", nil, 404, ""},
		{"its delete", "DELETE", i + m.query("sync"), "", nil, 410, ""},
		{"its delete without a plan", "DELETE", i, "", nil, 400, ""},
		{"a binding of it", "PUT", i + "/service_bindings/b", `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("sync") + `"}`, nil, 404, ""},
		{"an update of it", "PATCH", i, `{"service_id":"` + m.offering.ID + `"}`, nil, 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.t = t
			change := c.change
			if change == nil {
				change = func(*http.Request) {}
			}
			a := m.is(m.ask(c.method, c.path, c.body, change), c.status)
			if !strings.Contains(a.raw, c.says) || strings.Contains(a.raw, "hush") {
				t.Fatal(a.raw)
			}
			if _, described := a.body["description"]; !described && c.status != 410 {
				t.Fatal("no description", a.raw)
			}
		})
	}
	if n := m.driver.Calls("provision"); n != 0 {
		t.Fatal("a refused request reached the provider", n)
	}
}

// The wrong service or plan beside an instance's id is a wrong request, and nothing happens.
func TestAPlanThatIsNotTheInstances(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i"
	const b = i + "/service_bindings/b"
	body := func(service, plan string) string { return `{"service_id":"` + service + `","plan_id":"` + plan + `"}` }
	query := func(service, plan string) string { return "?service_id=" + service + "&plan_id=" + plan }
	own, sync, other := m.offering.ID, m.plan("sync"), m.plan("rotatable")
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	for _, wrong := range [][2]string{{own, other}, {"else", sync}, {own, "nope"}} {
		m.is(m.ask("PUT", b, body(wrong[0], wrong[1])), 400)
	}
	m.is(m.ask("GET", b, ""), 404)
	m.is(m.ask("PUT", b, body(own, sync)), 201)
	for _, wrong := range [][2]string{{own, other}, {"else", sync}, {own, "nope"}} {
		m.is(m.ask("DELETE", b+query(wrong[0], wrong[1]), ""), 400)
		m.is(m.ask("DELETE", i+query(wrong[0], wrong[1]), ""), 400)
	}
	m.is(m.ask("GET", b, ""), 200)
	m.is(m.ask("GET", i, ""), 200)
	m.is(m.ask("DELETE", b+query(own, sync), ""), 200)
	m.is(m.ask("DELETE", i+query(own, sync), ""), 200)
}

// A plan that was changed may be named by its former id, but the present one says whether the platform has to wait.
func TestAFormerPlanDoesNotHurryAnUnbind(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i, async = "/v2/service_instances/i", "?accepts_incomplete=true"
	const b = i + "/service_bindings/b"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	m.is(m.ask("PUT", b, `{"service_id":"`+m.offering.ID+`","plan_id":"`+m.plan("sync")+`"}`), 201)
	if a := m.ask("PATCH", i+async, m.toPlan("async")); a.status != 200 { // done before it was answered
		m.is(a, 202)
	}
	if m.done(i) != "succeeded" {
		t.Fatal("the plan is not changed")
	}
	if a := m.is(m.ask("DELETE", b+m.query("sync"), ""), 422); a.body["error"] != "AsyncRequired" {
		t.Fatal(a.raw)
	}
	m.is(m.ask("GET", b, ""), 200)
}

// Only the key as the protocol writes it counts, whatever the order; keys inside of parameters are nobody's but the plan's.
func TestKeysThatDifferInCase(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	for n, more := range []string{`,"Plan_ID":"` + m.plan("rotatable") + `"`, `,"\u017fervice_id":"else"`, `,"PARAMETERS":{"x":1}`} {
		path := fmt.Sprintf("/v2/service_instances/i%d", n)
		m.is(m.ask("PUT", path, m.order("sync", more)), 201)
		if a := m.is(m.ask("GET", path, ""), 200); a.body["plan_id"] != m.plan("sync") {
			t.Error(more, a.raw)
		}
	}
	m.is(m.ask("PUT", "/v2/service_instances/p?accepts_incomplete=true", m.order("async", `,"parameters":{"Size":1}`)), 400)
}

func TestPlatformsNeverSeeEachOther(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	other := func(r *http.Request) { r.SetBasicAuth("cf-us", m.passwords["cf-us"]) }
	const i = "/v2/service_instances/same"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	m.is(m.ask("GET", i, "", other), 404)
	m.is(m.ask("GET", i+"/last_operation", "", other), 404)
	m.is(m.ask("DELETE", i+m.query("sync"), "", other), 410)
	m.is(m.ask("PUT", i, m.order("rotatable", ""), other), 201)
	if a := m.is(m.ask("GET", i, ""), 200); a.body["plan_id"] != m.plan("sync") {
		t.Fatal(a.raw)
	}
}

func TestClientsThatSendWhatTheyLike(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	form := func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		leniently(r) // a body is JSON, whatever a command line calls it
	}
	old := func(r *http.Request) { r.Header.Set("X-Broker-API-Version", "2.11") }
	m.is(m.ask("PUT", "/v2/service_instances/curl", m.order("sync", ""), form), 201)
	m.is(m.ask("GET", "/v2/service_instances/curl", "", old), 200)
	claims := base64.StdEncoding.EncodeToString([]byte(`{"user_id":"u-7"}`))
	m.is(m.ask("DELETE", "/v2/service_instances/curl"+m.query("sync"), "", func(r *http.Request) {
		r.Header.Set("X-Broker-API-Originating-Identity", "cloudfoundry "+claims)
	}), 200)
	trail, err := m.broker.Audit.List(t.Context(), "", 100)
	m.ok(err)
	found := false
	for _, e := range trail {
		found = found || e.Action == "instance.deprovision" && e.Via == `claimed: cloudfoundry {"user_id":"u-7"}` && e.Who == "platform/cf-eu"
	}
	if !found {
		t.Fatal("the claim is not in the trail", trail)
	}
}

func TestGuessingIsLimited(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	wrong := func(r *http.Request) { r.SetBasicAuth("cf-eu", "guess") }
	for range 10 {
		m.is(m.ask("GET", "/v2/catalog", "", wrong), 401)
	}
	a := m.is(m.ask("GET", "/v2/catalog", ""), 429)
	if a.header.Get("Retry-After") == "" {
		t.Fatal("no Retry-After")
	}
	m.is(m.ask("GET", "/v2/catalog", "", func(r *http.Request) { r.SetBasicAuth("cf-us", m.passwords["cf-us"]) }), 200)
}
