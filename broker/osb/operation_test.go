package osb_test

import (
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

// tells compares how one operation is told of.
func (m *market) tells(path, operation, state, description string) {
	m.t.Helper()
	a := m.is(m.ask("GET", path+"/last_operation?operation="+operation, ""), 200)
	if said, _ := a.body["description"].(string); a.body["state"] != state || said != description {
		m.t.Errorf("%s %s: %s", path, operation, a.raw)
	}
}

// begun sends a request that is answered with 202 and gives its operation.
func (m *market) begun(method, path, body string) string {
	m.t.Helper()
	op, _ := m.is(m.ask(method, path, body), 202).body["operation"].(string)
	if op == "" {
		m.t.Fatal("no operation")
	}
	return op
}

// cutOff begins something that hangs in verb, deletes it in the midst, and gives both operations once the delete is done.
func (m *market) cutOff(verb, method, path, body string) (cut, remove string) {
	m.t.Helper()
	hold := m.driver.Hang(verb)
	defer hold.Release()
	cut = m.begun(method, path+"?accepts_incomplete=true", body)
	<-hold.Entered
	m.tells(path, cut, "in progress", "")
	remove = m.begun("DELETE", path+m.query("async")+"&accepts_incomplete=true", "")
	m.tells(path, cut, "failed", replaced)
	hold.Release()
	if m.done(path) != "succeeded" {
		m.t.Fatal("not deleted")
	}
	return cut, remove
}

const replaced = "A delete took its place."

// A platform that names an operation is told of that one: a create that a delete cut off has not succeeded because the delete has.
func TestTheOperationThatIsAskedFor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarketOn(t, db, 20*time.Second)
		const i, b, other = "/v2/service_instances/i", "/v2/service_instances/i/service_bindings/b", "/v2/service_instances/other"
		cut, remove := m.cutOff("provision", "PUT", i, m.order("async", ""))
		made := m.begun("PUT", i+"?accepts_incomplete=true", m.order("async", "")) // the id's second life
		if m.done(i) != "succeeded" {
			t.Fatal("not made")
		}
		bind, unbind := m.cutOff("bind", "PUT", b, `{"service_id":"`+m.offering.ID+`","plan_id":"`+m.plan("async")+`"}`)
		update, end := m.cutOff("update", "PATCH", i, m.patch(`,"parameters":{"size":2}`))
		for _, c := range []struct{ path, operation, state, description string }{
			{i, cut, "failed", replaced},
			{i, remove, "succeeded", ""},
			{i, made, "succeeded", ""},
			{i, update, "failed", replaced},
			{i, end, "succeeded", ""},
			{b, bind, "failed", replaced},
			{b, unbind, "succeeded", ""},
		} {
			m.tells(c.path, c.operation, c.state, c.description)
		}
		a := m.is(m.ask("GET", i+"/last_operation?operation="+update, ""), 200)
		if a.body["instance_usable"] != false || a.body["update_repeatable"] != false {
			t.Error("what is deleted is said to be of use:", a.raw)
		}
		elsewhere := m.begun("PUT", other+"?accepts_incomplete=true", m.order("async", ""))
		for _, c := range [][2]string{{i, elsewhere}, {other, cut}, {b, made}, {i, bind}, {i, "op_none"}, {b, "op_none"}} {
			m.is(m.ask("GET", c[0]+"/last_operation?operation="+c[1], ""), 400)
		}
	})
}
