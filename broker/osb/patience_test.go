package osb_test

import (
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
)

// TestPatienceIsThePlans: what an operator configured for a plan is what the catalog tells platforms, in seconds, and an order that does not come about in
// that time ends as failed and is cleaned up by the broker, here of a plan whose backend stands at once and is ready after ten seconds.
func TestPatienceIsThePlans(t *testing.T) {
	t.Parallel()
	m := newMarketWaiting(t, time.Millisecond)
	short := 2 * time.Second
	m.broker.Terms["fakes"] = []catalog.Terms{{Plans: []catalog.PlanTerms{{Name: "sync"}, {Name: "slow", MaxPolling: &short}}}}
	_, err := m.broker.Refresh(t.Context(), 20*time.Second)
	m.ok(err)
	told := map[string]any{}
	for _, p := range m.is(m.ask("GET", "/v2/catalog", ""), 200).body["services"].([]any)[0].(map[string]any)["plans"].([]any) {
		told[p.(map[string]any)["name"].(string)] = p.(map[string]any)["maximum_polling_duration"]
	}
	if told["slow"] != 2.0 || told["sync"] != nil {
		t.Fatalf("platforms are told %v seconds, and %v where nothing was configured", told["slow"], told["sync"])
	}
	const path = "/v2/service_instances/late"
	m.is(m.ask("PUT", path+"?accepts_incomplete=true", m.order("slow", "")), 202)
	if m.done(path) != "failed" {
		t.Fatal("an order that takes longer than it may did not fail")
	}
	if a := m.is(m.ask("GET", path+"/last_operation", ""), 200); !strings.Contains(a.raw, "did not end within 2s") {
		t.Fatal(a.raw)
	}
	for end := time.Now().Add(30 * time.Second); ; {
		left, err := m.driver.Leftovers()
		m.ok(err)
		if len(left) == 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("what failed is still at the backend", left)
		}
		m.ask("GET", path+"/last_operation", "")
	}
	if m.driver.Calls("provision") == 0 || m.driver.Calls("deprovision") == 0 {
		t.Fatal("nothing was made, or nothing was removed")
	}
}
