package osb_test

import (
	"fmt"
	"testing"
)

func TestARotation(t *testing.T) {
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("rotatable", "")), 201)
	ids := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("rotatable") + `"`
	first := m.is(m.ask("PUT", i+"/service_bindings/b-1", ids+"}"), 201)
	body := ids + `,"predecessor_binding_id":"b-1"}`
	for _, wrong := range []string{`"none"`, `""`, "7"} {
		m.is(m.ask("PUT", i+"/service_bindings/b-2", ids+`,"predecessor_binding_id":`+wrong+"}"), 400)
	}
	second := m.is(m.ask("PUT", i+"/service_bindings/b-2", body), 201)
	again := m.is(m.ask("PUT", i+"/service_bindings/b-2", body), 200)
	if fmt.Sprint(second.body["credentials"]) == fmt.Sprint(first.body["credentials"]) || fmt.Sprint(second.body["credentials"]) != fmt.Sprint(again.body["credentials"]) {
		t.Fatal(first.raw, second.raw, again.raw)
	}
	m.is(m.ask("PUT", i+"/service_bindings/b-2", ids+"}"), 409)
	old := m.is(m.ask("GET", i+"/service_bindings/b-1", ""), 200)
	expires, _ := old.body["metadata"].(map[string]any)["expires_at"].(string)
	if expires == "" || fmt.Sprint(old.body["credentials"]) != fmt.Sprint(first.body["credentials"]) {
		t.Fatal(old.raw)
	}
	m.is(m.ask("DELETE", i+"/service_bindings/b-1"+m.query("rotatable"), ""), 200)
	m.is(m.ask("GET", i+"/service_bindings/b-1", ""), 404)
	m.is(m.ask("GET", i+"/service_bindings/b-2", ""), 200)
	m.is(m.ask("PUT", "/v2/service_instances/i-2", m.order("sync", "")), 201)
	plain := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan("sync") + `"`
	m.is(m.ask("PUT", "/v2/service_instances/i-2/service_bindings/b-1", plain+"}"), 201)
	m.is(m.ask("PUT", "/v2/service_instances/i-2/service_bindings/b-2", plain+`,"predecessor_binding_id":"b-1"}`), 422)
}
