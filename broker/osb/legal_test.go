package osb_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Ids in a body are refused like those in a path, by their name: whose it is, which app, which context.
func TestIDsInABody(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.mapped("cf-map")
	const i = "/v2/service_instances/i"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	ids := m.patch(`,"plan_id":"` + m.plan("sync") + `"`)
	with := func(body, more string) string { return strings.TrimSuffix(body, "}") + more + "}" }
	order := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("sync") + `"}`
	fields := []struct{ method, path, body, field string }{
		{"PUT", i + "2", with(order, `,"organization_guid":"?","space_guid":"s"`), "organization_guid"},
		{"PUT", i + "2", with(order, `,"organization_guid":"o","space_guid":"?"`), "space_guid"},
		{"PUT", i + "2", m.order("sync", `,"context":{"platform":"?"}`), "context.platform"},
		{"PUT", i + "2", m.order("sync", `,"context":{"organization_guid":"?"}`), "context.organization_guid"},
		{"PUT", i + "2", m.order("sync", `,"context":{"space_guid":"?"}`), "context.space_guid"},
		{"PUT", i + "2", m.order("sync", `,"context":{"platform":"kubernetes","clusterid":"?"}`), "context.clusterid"},
		{"PUT", i + "2", m.order("sync", `,"context":{"platform":"kubernetes","namespace":"?"}`), "context.namespace"},
		{"PATCH", i, m.patch(`,"context":{"organization_guid":"?"}`), "context.organization_guid"},
		{"PATCH", i, m.patch(`,"previous_values":{"organization_id":"?"}`), "previous_values.organization_id"},
		{"PUT", i + "/service_bindings/b", with(ids, `,"app_guid":"?"`), "app_guid"},
		{"PUT", i + "/service_bindings/b", with(ids, `,"bind_resource":{"app_guid":"?"}`), "bind_resource.app_guid"},
		{"PUT", i + "/service_bindings/b", with(ids, `,"bind_resource":{"space_guid":"?"}`), "bind_resource.space_guid"},
		{"PUT", i + "/service_bindings/b", with(ids, `,"context":{"space_guid":"?"}`), "context.space_guid"},
	}
	orgs, made := len(m.orgs()), m.driver.Calls("provision")
	for _, bad := range []string{`a\nb`, `\u007f`, `\u0085`, strings.Repeat("x", 256), strings.Repeat("é", 128)} {
		for _, f := range fields {
			for _, platform := range []string{"cf-eu", "cf-map"} {
				a := m.ask(f.method, f.path, strings.Replace(f.body, "?", bad, 1), m.as(platform))
				if platform == "cf-map" && !strings.HasSuffix(f.path, "2") && a.status == 404 {
					continue // it has no such instance
				}
				if text, _ := a.body["description"].(string); a.status != 400 || !strings.Contains(text, "The field "+f.field+" is not legal") || len(text) > 200 {
					t.Errorf("%s %s: %q: %d %s", f.method, f.field, bad, a.status, a.raw)
				}
			}
		}
	}
	if m.driver.Calls("provision") != made || m.driver.Calls("bind") != 0 || len(m.orgs()) != orgs {
		t.Error("what was refused has left something")
	}
	for _, f := range fields { // quotes, other alphabets, and as long as may be
		for n, good := range []string{`it's \"ä\" / 数据库 🐘`, strings.Repeat("y", 255)} {
			path := strings.Replace(f.path, i+"2", "/v2/service_instances/"+strings.ReplaceAll(f.field, ".", "-")+string(rune('0'+n)), 1)
			path = strings.Replace(path, "/b", "/b-"+strings.ReplaceAll(f.field, ".", "-")+string(rune('0'+n)), 1)
			if a := m.ask(f.method, path, strings.Replace(f.body, "?", good, 1)); a.status/100 != 2 {
				t.Errorf("%s %s: %d %s", f.method, f.field, a.status, a.raw)
			}
		}
	}
}

// A request's own name comes back when it is one, and is refused after 401 and 412 when it is none.
func TestTheNameOfARequest(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	m.is(m.ask("GET", "/v2/catalog", "", func(r *http.Request) { r.Header.Set("X-Broker-API-Request-Identity", strings.Repeat("x", 255)) }), 200)
	for name, bad := range map[string]string{"256 bytes": strings.Repeat("x", 256), "9000 bytes": strings.Repeat("x", 9000), "a tab": "a\tb", "no UTF-8": "a\xffb"} {
		for status, change := range map[int]func(*http.Request){
			400: func(*http.Request) {},
			401: func(r *http.Request) { r.Header.Del("Authorization") },
			412: func(r *http.Request) { r.Header.Del("X-Broker-API-Version") },
		} {
			res := m.send("GET", "/v2/catalog", "", change, func(r *http.Request) { r.Header.Set("X-Broker-API-Request-Identity", bad) })
			raw, err := io.ReadAll(res.Body)
			m.ok(err)
			m.ok(res.Body.Close())
			var said struct{ Description string }
			if res.StatusCode != status || res.Header.Get("X-Broker-API-Request-Identity") != "" || json.Unmarshal(raw, &said) != nil || said.Description == "" {
				t.Errorf("%s: %d, want %d: %.300s %v", name, res.StatusCode, status, raw, res.Header)
			}
			if status == 400 && !strings.Contains(said.Description, "X-Broker-API-Request-Identity") {
				t.Errorf("%s: %s", name, said.Description)
			}
		}
	}
}

// Nothing here forwards routes, and a platform that wants it is told so before anything is bound.
func TestARouteIsNotTaken(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	bind := func(resource string) string {
		return m.patch(`,"plan_id":"` + m.plan("sync") + `","bind_resource":` + resource)
	}
	a := m.is(m.ask("PUT", i+"/service_bindings/b", bind(`{"route":"shop.example.com/x"}`)), 400)
	if !strings.Contains(a.raw, "bind_resource.route") || !strings.Contains(a.raw, "route_forwarding") || strings.Contains(a.raw, "shop.example.com") {
		t.Fatal(a.raw)
	}
	if m.driver.Calls("bind") != 0 {
		t.Fatal("it was bound")
	}
	m.is(m.ask("PUT", i+"/service_bindings/b", bind(`{"app_guid":"a","route":""}`)), 201)
}
