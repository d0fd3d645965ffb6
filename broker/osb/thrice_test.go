package osb_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

// thrice sends a request three times at once. Each is answered with one of the statuses, and those that are to be asked after again name one operation.
func (m *market) thrice(method, path, body string, allowed ...int) (all []answer) {
	m.t.Helper()
	all = make([]answer, 3)
	var wg sync.WaitGroup
	for n := range all {
		wg.Go(func() { all[n] = m.ask(method, path, body) })
	}
	wg.Wait()
	operations := map[string]bool{}
	for _, a := range all {
		if !slices.Contains(allowed, a.status) {
			m.t.Errorf("%s %s: %d %s", method, path, a.status, a.raw)
		}
		if a.status == 202 {
			operations[fmt.Sprint(a.body["operation"])] = true
		}
	}
	if len(operations) > 1 || operations["<nil>"] {
		m.t.Errorf("%s %s: one piece of work has the operations %v", method, path, operations)
	}
	return all
}

// patchThrice sends one update three times at once: it is made once, and every answer says done or names the one operation.
func (m *market) patchThrice(path, plan, async string) {
	m.t.Helper()
	body, calls := m.toPlan("maintained"), m.driver.Calls("update")
	allowed := []int{200}
	if async != "" {
		body, allowed = m.patch(`,"parameters":{"size":5}`), []int{200, 202}
	}
	m.thrice("PATCH", path+async, body, allowed...)
	if got := m.done(path); got != "succeeded" {
		m.t.Fatal(plan, got)
	}
	calls = m.driver.Calls("update") - calls
	if async == "" && calls != 1 { // the slow one is asked until it is done
		m.t.Errorf("%s: updated %d times", plan, calls)
	}
	for _, a := range m.thrice("PATCH", path+async, body, 200) {
		if a.body["operation"] != nil {
			m.t.Error("what is done has an operation", a.raw)
		}
	}
	got := m.is(m.ask("GET", path, ""), 200)
	if async == "" {
		if got.body["plan_id"] != m.plan("maintained") {
			m.t.Error(got.raw)
		}
		m.thrice("PATCH", path, m.toPlan("sync"), 200) // and back
		return
	}
	if fmt.Sprint(got.body["parameters"]) != "map[size:5]" {
		m.t.Error(got.raw)
	}
}

// Every request arrives three times at once: there is one resource, and each answer is one that a platform understands.
func TestEveryRequestThreeTimesAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarketOn(t, db, 5*time.Second)
		for plan, c := range map[string]struct {
			async string
			made  []int
			ended []int
		}{
			"sync":  {"", []int{200, 201}, []int{200, 410}},
			"async": {"?accepts_incomplete=true", []int{200, 201, 202}, []int{200, 202, 410}},
		} {
			path := "/v2/service_instances/" + plan
			query := m.query(plan)
			if c.async != "" {
				query += "&accepts_incomplete=true"
			}
			m.thrice("PUT", path+c.async, m.order(plan, ""), c.made...)
			if got := m.done(path); got != "succeeded" {
				t.Fatal(plan, got)
			}
			m.patchThrice(path, plan, c.async)
			bind := `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan(plan) + `","app_guid":"app-of-` + plan + `"}`
			m.thrice("PUT", path+"/service_bindings/b"+c.async, bind, c.made...)
			if got := m.done(path + "/service_bindings/b"); got != "succeeded" {
				t.Fatal(plan, got)
			}
			credentials := map[string]bool{}
			for _, a := range m.thrice("PUT", path+"/service_bindings/b"+c.async, bind, 200) {
				credentials[fmt.Sprint(a.body["credentials"])] = true
			}
			if len(credentials) != 1 {
				t.Error(plan, "has several credentials")
			}
			i, err := m.broker.Instances(t.Context(), m.root, identity.Scope{})
			if err != nil || len(i) != 1 || m.driver.Made(i[0].ID) != 1 {
				t.Fatal("want one instance, made once", i, err)
			}
			if list, err := m.broker.Bindings(t.Context(), m.root, i[0].ID, "", ""); err != nil || len(list) != 1 {
				t.Fatal("want one binding", list, err)
			}
			m.thrice("DELETE", path+"/service_bindings/b"+query, "", c.ended...)
			m.thrice("DELETE", path+query, "", c.ended...)
			if got := m.done(path); got != "succeeded" {
				t.Fatal(plan, got)
			}
			m.thrice("DELETE", path+query, "", 410)
			if left, err := m.driver.Leftovers(); err != nil || len(left) > 0 {
				t.Error("left behind", left, err)
			}
		}
	})
}
