package osb_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/broker/osb"
	"github.com/sutlerhq/sutler/internal/fault"
)

// patch is the body of an update.
func (m *market) patch(more string) string {
	return `{"service_id":"` + m.offering.ID + `"` + more + `}`
}

func (m *market) toPlan(name string) string { return m.patch(`,"plan_id":"` + m.plan(name) + `"`) }

func TestAnUpdateInSync(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	if a := m.is(m.ask("PATCH", i, m.patch(`,"plan_id":"`+m.plan("maintained")+`","parameters":null,"previous_values":{"plan_id":"any","service_id":"x","organization_id":"o","space_id":"s","maintenance_info":{"version":"0.0.1"}}`)), 200); a.body["operation"] != nil {
		t.Fatal(a.raw)
	}
	a := m.is(m.ask("GET", i, ""), 200)
	if a.body["plan_id"] != m.plan("maintained") || fmt.Sprint(a.body["maintenance_info"]) != "map[version:2.1.0]" {
		t.Fatal(a.raw)
	}
	calls := m.driver.Calls("update")
	m.is(m.ask("PATCH", i, m.toPlan("maintained")), 200)
	m.is(m.ask("PATCH", i, m.patch(`,"context":{"platform":"cloudfoundry","instance_name":"new"}`)), 200)
	m.is(m.ask("PATCH", i, m.patch(`,"plan_id":"","maintenance_info":{"version":"2.1.0"}`)), 200)
	if n := m.driver.Calls("update"); n != calls {
		t.Fatal("what changes nothing reached the provider", n)
	}
	m.is(m.ask("DELETE", i+"?service_id="+m.offering.ID+"&plan_id=nope", ""), 400)
	m.is(m.ask("DELETE", i+m.query("rotatable"), ""), 400) // it never was on that one
	m.is(m.ask("DELETE", i+m.query("sync"), ""), 200)      // a platform that did not hear of the new plan
}

func TestAnUpdateInAsync(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i, async = "/v2/service_instances/i-1", "?accepts_incomplete=true"
	m.is(m.ask("PUT", i+async, m.order("async", "")), 202)
	if a := m.is(m.ask("PATCH", i+async, m.patch(`,"parameters":{"size":2}`)), 422); a.body["error"] != "ConcurrencyError" {
		t.Fatal(a.raw)
	}
	if m.done(i) != "succeeded" {
		t.Fatal("not made")
	}
	for _, body := range []string{m.patch(`,"parameters":{"size":2}`), m.toPlan("async"), m.toPlan("slow")} {
		if a := m.is(m.ask("PATCH", i, body), 422); a.body["error"] != "AsyncRequired" {
			t.Fatal(a.raw)
		}
	}
	hold := m.driver.Hang("update")
	first := m.is(m.ask("PATCH", i+async, m.patch(`,"parameters":{"size":2}`)), 202)
	again := m.is(m.ask("PATCH", i+async, m.patch(`,"parameters":{"size":2}`)), 202)
	if first.body["operation"] == nil || first.body["operation"] != again.body["operation"] || first.header.Get("Retry-After") == "" {
		t.Fatal(first.raw, again.raw, first.header)
	}
	bind := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("async") + `"}`
	for _, a := range []answer{
		m.ask("PATCH", i+async, m.patch(`,"parameters":{"size":3}`)), m.ask("PATCH", i+async, m.toPlan("sync")),
		m.ask("PUT", i+"/service_bindings/b"+async, bind), m.ask("GET", i, ""),
	} {
		if m.is(a, 422); a.body["error"] != "ConcurrencyError" {
			t.Fatal(a.raw)
		}
	}
	old := m.is(m.ask("GET", i+"/last_operation"+m.query("async")+"&operation="+first.body["operation"].(string), ""), 200)
	if old.body["state"] != "in progress" || old.header.Get("Retry-After") == "" || strings.Contains(old.raw, "usable") {
		t.Fatal(old.raw, old.header)
	}
	hold.Release()
	if m.done(i) != "succeeded" {
		t.Fatal("not updated")
	}
	if a := m.is(m.ask("GET", i, ""), 200); fmt.Sprint(a.body["parameters"]) != "map[size:2]" {
		t.Fatal(a.raw)
	}
}

func TestAnUpdateThatFails(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	a := m.is(m.ask("PATCH", i, m.toPlan("failing")), 502)
	if a.body["instance_usable"] != true || a.body["update_repeatable"] != false {
		t.Fatal(a.raw)
	}
	a = m.is(m.ask("GET", i+"/last_operation", ""), 200)
	if a.body["state"] != "failed" || a.body["instance_usable"] != true || a.body["update_repeatable"] != false {
		t.Fatal(a.raw)
	}
	if a := m.is(m.ask("GET", i, ""), 200); a.body["plan_id"] != m.plan("sync") {
		t.Fatal(a.raw)
	}
	m.is(m.ask("PATCH", i, m.patch(`,"context":{}`)), 200) // the failure is told once
	m.is(m.ask("PUT", i, m.order("sync", "")), 200)        // and the instance is there as before
	m.driver.FailNext("bind", 1, fault.Refused.Errorf("No."))
	a = m.is(m.ask("PUT", i+"/service_bindings/b", `{"service_id":"`+m.offering.ID+`","plan_id":"`+m.plan("sync")+`"}`), 502)
	if strings.Contains(a.raw, "usable") || strings.Contains(a.raw, "repeatable") {
		t.Fatal("said where the protocol forbids it", a.raw)
	}
}

// A delete that fails says that the instance is of no use any more; it is tried again, and the same delete finds it.
func TestADeleteThatFails(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	m.driver.FailNext("deprovision", -1, fault.Refused.Errorf("No."))
	a := m.is(m.ask("DELETE", i+m.query("sync"), ""), 502)
	if a.body["instance_usable"] != false || strings.Contains(a.raw, "repeatable") {
		t.Fatal(a.raw)
	}
	a = m.is(m.ask("GET", i+"/last_operation", ""), 200)
	if usable, said := a.body["instance_usable"]; a.body["state"] != "failed" || !said || usable != false || strings.Contains(a.raw, "repeatable") {
		t.Fatal(a.raw)
	}
	m.driver.FailNext("deprovision", 0, nil)
	if a := m.ask("DELETE", i+m.query("sync"), ""); a.status != 410 { // or the broker was faster
		m.is(a, 200)
	}
	if a := m.is(m.ask("GET", i+"/last_operation", ""), 200); a.body["state"] != "succeeded" || strings.Contains(a.raw, "usable") {
		t.Fatal(a.raw)
	}
}

func TestUpdatesThatAreRefused(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("narrow", "")), 201)
	for _, c := range []struct {
		name, body string
		status     int
		code       any
	}{
		{"no service", `{"plan_id":"` + m.plan("sync") + `"}`, 400, nil},
		{"another service", `{"service_id":"else"}`, 400, nil},
		{"an unknown plan", m.patch(`,"plan_id":"else"`), 400, nil},
		{"a plan it does not lead to", m.toPlan("rotatable"), 422, nil},
		{"parameters that do not fit", m.patch(`,"parameters":{"size":1}`), 400, nil},
		{"parameters that are no object", m.patch(`,"parameters":7`), 400, nil},
		{"another maintenance version", m.patch(`,"maintenance_info":{"version":"9.9.9"}`), 422, "MaintenanceInfoConflict"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m.t = t
			a := m.is(m.ask("PATCH", i, c.body), c.status)
			if a.body["error"] != c.code || a.body["description"] == "" {
				t.Fatal(a.raw)
			}
		})
	}
	if n := m.driver.Calls("update"); n != 0 {
		t.Fatal("a refused update reached the provider", n)
	}
}

func TestTheCatalogIsKept(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	a := m.is(m.ask("GET", "/v2/catalog", ""), 200)
	tag, first := a.header.Get("ETag"), osb.Prints(m.server.Config.Handler)
	if tag == "" || !strings.Contains(a.raw, `"plan_updateable":true`) || strings.Count(a.raw, `"binding_rotatable":true`) != 1 || !strings.Contains(a.raw, `"allow_context_updates":true`) {
		t.Fatal(tag, a.raw)
	}
	for list, want := range map[string]int{tag: 304, `"other", W/` + tag: 304, "*": 304, `"other"`: 200, "": 200} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", m.server.URL+"/v2/catalog", http.NoBody)
		m.ok(err)
		r.SetBasicAuth("cf-eu", m.passwords["cf-eu"])
		r.Header.Set("X-Broker-API-Version", "2.17")
		r.Header.Set("If-None-Match", list)
		res, err := http.DefaultClient.Do(r)
		m.ok(err)
		m.ok(res.Body.Close())
		if res.StatusCode != want || res.Header.Get("ETag") != tag {
			t.Errorf("%s: %d %v", list, res.StatusCode, res.Header)
		}
	}
	written := a.header.Get("Last-Modified")
	for _, c := range []struct {
		since, tag string
		want       int
	}{{written, "", 304}, {written, `"other"`, 200}, {"Mon, 02 Jan 2006 15:04:05 GMT", "", 200}, {"yesterday", "", 200}} {
		res := m.send("GET", "/v2/catalog", "", func(r *http.Request) {
			r.Header.Set("If-Modified-Since", c.since)
			if c.tag != "" {
				r.Header.Set("If-None-Match", c.tag)
			}
		})
		m.ok(res.Body.Close())
		if res.StatusCode != c.want {
			t.Errorf("since %q, tag %q: %d", c.since, c.tag, res.StatusCode)
		}
	}
	m.is(m.ask("GET", "/v2/catalog", "", func(r *http.Request) { r.SetBasicAuth("cf-us", m.passwords["cf-us"]) }), 200)
	now := osb.Prints(m.server.Config.Handler)
	if len(first) != 1 || len(now) != 2 {
		t.Fatal("want one print for each platform", len(first), len(now))
	}
	for platform, was := range first {
		if now[platform] != was {
			t.Error("the catalog of one edition was encoded again")
		}
	}
}

func TestPlansForAppsOnly(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("apps", "")), 201)
	ids := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("apps") + `"`
	if a := m.is(m.ask("PUT", i+"/service_bindings/b", ids+`,"app_guid":"","bind_resource":{"app_guid":""}}`), 422); a.body["error"] != "RequiresApp" {
		t.Fatal(a.raw)
	}
	m.is(m.ask("PUT", i+"/service_bindings/b", ids+`,"bind_resource":{"app_guid":"a-1"}}`), 201)
}

func TestABindingSaysWhereItLeads(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("sync", "")), 201)
	body := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("sync") + `"}`
	for _, a := range []answer{m.is(m.ask("PUT", i+"/service_bindings/b", body), 201), m.is(m.ask("PUT", i+"/service_bindings/b", body), 200), m.is(m.ask("GET", i+"/service_bindings/b", ""), 200)} {
		if fmt.Sprint(a.body["endpoints"]) != "[map[host:127.0.0.1 ports:[9] protocol:tcp]]" || a.body["metadata"] != nil {
			t.Fatal(a.raw)
		}
	}
	old := func(r *http.Request) { r.Header.Set("X-Broker-API-Version", "2.14") } // its clients expect numbers, as a draft had them
	if a := m.is(m.ask("GET", i+"/service_bindings/b", "", old), 200); a.body["endpoints"] != nil || a.body["credentials"] == nil {
		t.Fatal(a.raw)
	}
}
