package broker

import (
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/failpoint"
)

// TestEveryFailpointIsPassed: a place that is listed but that no code passes would make a crash matrix that proves nothing.
func TestEveryFailpointIsPassed(t *testing.T) {
	var spec []string
	for _, p := range failpoint.Points() {
		spec = append(spec, p.Name+"=count")
	}
	if err := failpoint.Arm(strings.Join(spec, ",")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = failpoint.Arm("") })
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "sync", "orders")
	i, _, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "rotatable"})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, i.Operation.ID, succeeded)
	bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID, App: "app_a"})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, succeeded)
	if bd, _, err = m.Rotate(t.Context(), ada, bd.ID); err != nil {
		t.Fatal(err)
	}
	if op := m.ends(t, bd.Operation.ID, succeeded); op.Verb != verbRotate {
		t.Fatal(op)
	}
	if bd, err = m.Unbind(t.Context(), ada, bd.ID); err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, succeeded)
	if i, err = m.Deprovision(t.Context(), ada, i.ID); err != nil {
		t.Fatal(err)
	}
	m.ends(t, i.Operation.ID, succeeded)
	if err := m.Tasks.Stop(t.Context()); err != nil { // the task ends after the operation
		t.Fatal(err)
	}
	for _, p := range failpoint.Points() {
		if !strings.HasPrefix(p.Name, "schema.") && failpoint.Hits(p.Name) == 0 {
			t.Errorf("%s is never passed", p.Name)
		}
	}
}

// TestAFailureAtAnyPlaceIsOvercome: each verb fails once at each stage that can: refused and nothing changed, or done in the end.
func TestAFailureAtAnyPlaceIsOvercome(t *testing.T) {
	stages := map[string][]string{}
	for _, p := range failpoint.Points() {
		if p.Fails {
			stage := p.Name[strings.LastIndexByte(p.Name, '.')+1:]
			stages[stage] = append(stages[stage], p.Name+"=error@1")
		}
	}
	for stage, spec := range stages {
		t.Run(stage, func(t *testing.T) {
			if err := failpoint.Arm(strings.Join(spec, ",")); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = failpoint.Arm("") })
			m := newMarket(t, dbtest.New(t))
			again := func(f func() error) {
				t.Helper()
				if err := f(); err != nil {
					if err = f(); err != nil {
						t.Fatal(err)
					}
				}
			}
			var i Instance
			var bd Binding
			again(func() (err error) {
				i, _, err = m.Provision(t.Context(), ada, order("sync", "orders"))
				return err
			})
			m.ends(t, i.Operation.ID, succeeded)
			instance := i.ID
			again(func() (err error) {
				i, _, err = m.Update(t.Context(), ada, UpdateOrder{Instance: instance, Plan: "rotatable"})
				return err
			})
			m.ends(t, i.Operation.ID, succeeded)
			again(func() (err error) {
				bd, _, err = m.Bind(t.Context(), ada, BindOrder{Instance: i.ID, App: "app_a"})
				return err
			})
			m.ends(t, bd.Operation.ID, succeeded)
			old := bd.ID
			again(func() (err error) { bd, _, err = m.Rotate(t.Context(), ada, old); return err })
			m.ends(t, bd.Operation.ID, succeeded)
			binding := bd.ID
			again(func() (err error) { bd, err = m.Unbind(t.Context(), ada, binding); return err })
			m.ends(t, bd.Operation.ID, succeeded)
			again(func() (err error) { i, err = m.Deprovision(t.Context(), ada, instance); return err })
			m.ends(t, i.Operation.ID, succeeded)
			m.leavesNothing(t, i.ID)
		})
	}
}
