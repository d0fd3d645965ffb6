package broker

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/tasks"
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
	m.wholeLife(t)
	m.movedAround(t)
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
		if p.Fails && !strings.HasPrefix(p.Name, "schema.") {
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
			instance := m.wholeLife(t)
			if left, err := m.driver.Leftovers(); err != nil || len(left) > 0 {
				t.Error("left behind", left, err)
			}
			if n := m.driver.Made(instance); n != 1 {
				t.Error("made", n, "times")
			}
			counted := map[string]int{}
			for _, l := range m.books.all() {
				verb, _, _ := strings.Cut(l, " ")
				counted[verb]++
			}
			if counted["start"] != 2 || counted["stop"] != 2 || counted["suspend"] != 1 || counted["resume"] != 1 {
				t.Error("charged", m.books.all())
			}
			m.movedAround(t)
			if left, err := m.driver.Leftovers(); err != nil || len(left) > 0 {
				t.Error("a move left behind", left, err)
			}
		})
	}
}

// wholeLife takes an instance through every verb, each asked for twice when it was refused, and another that is made of its copy. It gives the id
// of the first; both are gone.
func (m *market) wholeLife(t *testing.T) (instance string) {
	t.Helper()
	ctx := t.Context()
	again := func(f func() (string, error)) {
		t.Helper()
		op, err := f()
		if err != nil {
			op, err = f()
		}
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, op, succeeded)
		m.idle(t)
	}
	var i Instance
	var bd Binding
	again(func() (op string, err error) {
		i, _, err = m.Provision(ctx, ada, order("sync", "orders"))
		return i.Operation.ID, err
	})
	instance = i.ID
	again(func() (string, error) {
		i, _, err := m.Update(ctx, ada, UpdateOrder{Instance: instance, Plan: "rotatable"})
		return i.Operation.ID, err
	})
	again(func() (op string, err error) {
		bd, _, err = m.Bind(ctx, ada, BindOrder{Instance: instance, App: "app_a"})
		return bd.Operation.ID, err
	})
	old := bd.ID
	again(func() (op string, err error) { bd, _, err = m.Rotate(ctx, ada, old); return bd.Operation.ID, err })
	restored := m.copied(t, instance)
	again(func() (string, error) { i, err := m.Suspend(ctx, ada, instance, ""); return i.Operation.ID, err })
	again(func() (string, error) { i, err := m.Resume(ctx, ada, instance); return i.Operation.ID, err })
	binding := bd.ID
	again(func() (string, error) { bd, err := m.Unbind(ctx, ada, binding); return bd.Operation.ID, err })
	for _, id := range []string{instance, restored} {
		again(func() (string, error) { i, err := m.Deprovision(ctx, ada, id); return i.Operation.ID, err })
	}
	return instance
}

// idle waits until no work is left, so that one failure does not lengthen the wait after the next.
func (m *market) idle(t *testing.T) {
	t.Helper()
	eventually(t, "no work is left", func() bool {
		rows, err := m.Tasks.List(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		soon := time.Now().Add(10 * time.Minute) // what a rotation ends waits longer
		return !slices.ContainsFunc(rows, func(r tasks.Row) bool {
			return (r.Kind == "operation" || r.Kind == "backup" || r.Kind == "move") && (r.Owner != "" || r.WakeAt.Before(soon))
		})
	})
}

// copied backs an instance up and gives the id of one that was made of the copy.
func (m *market) copied(t *testing.T, instance string) string {
	t.Helper()
	bk, err := m.BackUp(t.Context(), ada, instance)
	if err != nil {
		bk, err = m.BackUp(t.Context(), ada, instance)
	}
	if err != nil {
		t.Fatal(err)
	}
	m.backup(t, bk.ID, backupReady)
	m.idle(t)
	made, _, err := m.Restore(t.Context(), ada, RestoreOrder{Backup: bk.ID, Plan: "sync", Currency: "EUR"})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, made.Operation.ID, succeeded)
	return made.ID
}

// movedAround moves an instance that an app is bound to, takes that back, and moves it for good, each asked for twice when it was refused.
func (m *market) movedAround(t *testing.T) {
	t.Helper()
	ctx := t.Context()
	i := m.made(t, "sync", "parcel")
	bd, _, err := m.Bind(ctx, ada, BindOrder{Instance: i.ID, App: "app_a"})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, succeeded)
	twice := func(f func() error) {
		t.Helper()
		if f() == nil {
			return
		}
		if err := f(); err != nil {
			t.Fatal(err)
		}
	}
	target := ""
	there := func() {
		t.Helper()
		twice(func() error {
			mv, _, err := m.Move(ctx, ada, MoveOrder{Instance: i.ID, Provider: "fakes", Plan: "rotatable", Currency: "EUR"})
			target = mv.Target
			return err
		})
		m.comes(t, i.ID, moveMoved)
	}
	there()
	twice(func() error { _, err := m.RollBackMove(ctx, ada, i.ID, "parcel"); return err })
	m.comes(t, i.ID, moveUndone)
	m.becomes(t, i.ID, Ready)
	m.idle(t)
	there()
	twice(func() error { _, err := m.ConfirmMove(ctx, ada, i.ID); return err })
	m.becomes(t, i.ID, Gone)
	if _, err := m.Deprovision(ctx, ada, target); err != nil {
		t.Fatal(err)
	}
	m.becomes(t, target, Gone)
	m.idle(t)
}
