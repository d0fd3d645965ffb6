package osb_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers/fake"
)

// Of a rotation the protocol asks for the predecessor alone.
func TestARotationThatNamesItsPredecessorAlone(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	const i = "/v2/service_instances/i-1"
	m.is(m.ask("PUT", i, m.order("rotatable", "")), 201)
	m.is(m.ask("PUT", i+"/service_bindings/b-1", `{"predecessor_binding_id":"none"}`), 400)
	m.is(m.ask("PUT", i+"/service_bindings/b-1", `{}`), 400)
	m.is(m.ask("PUT", i+"/service_bindings/b-1", m.patch(`,"plan_id":"`+m.plan("rotatable")+`"`)), 201)
	m.is(m.ask("PUT", i+"/service_bindings/b-2", `{"predecessor_binding_id":"b-1"}`), 201)
	m.is(m.ask("PUT", i+"/service_bindings/b-2", `{"predecessor_binding_id":"b-1","service_id":"","plan_id":null}`, leniently), 200)
	m.is(m.ask("PUT", i+"/service_bindings/b-3", `{"predecessor_binding_id":"b-2","plan_id":"`+m.plan("rotatable")+`"}`), 201)
	m.is(m.ask("PUT", i+"/service_bindings/b-4", `{"predecessor_binding_id":"b-3","plan_id":"`+m.plan("sync")+`"}`), 400)
	m.is(m.ask("PUT", i+"/service_bindings/b-4", `{"predecessor_binding_id":"b-3","service_id":7}`), 400)
	m.is(m.ask("PUT", "/v2/service_instances/none/service_bindings/b", `{"predecessor_binding_id":"b-1"}`), 404)
	m.is(m.ask("PUT", i, `{"predecessor_binding_id":"b-1","organization_guid":"o","space_guid":"s"}`), 400)
}

// Credentials that expire say when, and by when to rotate them: after two thirds of their life.
func TestCredentialsThatExpire(t *testing.T) {
	t.Parallel()
	m := newMarketWith(t, fake.New(fake.Options{Lifetime: time.Hour}))
	const i, b = "/v2/service_instances/i-1", "/v2/service_instances/i-1/service_bindings/b-1"
	m.is(m.ask("PUT", i, m.order("rotatable", "")), 201)
	body := m.patch(`,"plan_id":"` + m.plan("rotatable") + `"`)
	began := time.Now()
	first := m.is(m.ask("PUT", b, body), 201)
	for _, a := range []answer{first, m.is(m.ask("PUT", b, body), 200), m.is(m.ask("GET", b, ""), 200)} {
		if fmt.Sprint(a.body["metadata"]) != fmt.Sprint(first.body["metadata"]) {
			t.Fatal("it said something else before", first.raw, a.raw)
		}
	}
	at := func(name string) time.Time {
		t.Helper()
		text, _ := first.body["metadata"].(map[string]any)[name].(string)
		when, err := time.Parse("2006-01-02T15:04:05.0Z", text)
		if err != nil {
			t.Fatal(first.raw)
		}
		return when
	}
	ends, renew := at("expires_at"), at("renew_before")
	if ends.Before(began.Add(time.Hour-time.Second)) || !renew.After(began) || !renew.Before(ends) {
		t.Fatal(first.raw)
	}
	if part := ends.Sub(renew); part < 19*time.Minute || part > 21*time.Minute {
		t.Fatal("want a third of an hour between", part)
	}
	m.is(m.ask("PUT", i+"/service_bindings/b-2", `{"predecessor_binding_id":"b-1"}`), 201)
	old := m.is(m.ask("GET", b, ""), 200) // it has been rotated: nothing to renew
	if meta := old.body["metadata"].(map[string]any); meta["expires_at"] == nil || meta["renew_before"] != nil {
		t.Fatal(old.raw)
	}
}

func TestARotation(t *testing.T) {
	t.Parallel()
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
