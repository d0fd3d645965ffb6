package broker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// stuckDelete is an instance, with a binding, whose verb the provider refuses for ever; it gives the stuck operation.
func (m *market) stuckDelete(t *testing.T, verb string) (Instance, Binding, Operation) {
	t.Helper()
	i := m.made(t, "sync", "orders")
	bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, succeeded)
	m.driver.FailNext(verb, -1, fault.Refused.Errorf("Not today."))
	gone, err := m.Deprovision(t.Context(), ada, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, gone.Operation.ID, failed)
	list, err := m.Operations(t.Context(), otto, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range list {
		if op.Verb == verb {
			return i, bd, op
		}
	}
	t.Fatal("nothing is stuck", list)
	return i, bd, Operation{}
}

func (m *market) deed(t *testing.T, action string) audit.Entry {
	t.Helper()
	list, err := m.Audit.List(t.Context(), "", 100)
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(list, func(e audit.Entry) bool { return e.Action == action })
	if n < 0 {
		t.Fatal(action, "is not in the trail")
	}
	return list[n]
}

func TestAStuckDeleteIsRetried(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i, _, op := m.stuckDelete(t, verbDeprovision)
		if !strings.Contains(op.Stuck, "Not today.") || op.Failures == 0 || op.Attempts == 0 {
			t.Fatalf("%+v", op)
		}
		_, err := m.RetryOperation(t.Context(), ada, op.ID)
		kind(t, err, fault.Forbidden)
		_, err = m.RetryOperation(t.Context(), bob, op.ID)
		kind(t, err, fault.NotFound)
		m.driver.FailNext(verbDeprovision, 0, nil)
		again, err := m.RetryOperation(t.Context(), otto, op.ID)
		if err != nil || again.State != inProgress || again.Stuck != "" {
			t.Fatal(again, err)
		}
		m.becomes(t, i.ID, Gone)
		m.leavesNothing(t, i.ID)
		if e := m.deed(t, "operation.retry"); e.Who != otto.Label() || e.Object != "operation/"+op.ID {
			t.Fatal(e)
		}
		_, err = m.RetryOperation(t.Context(), otto, op.ID)
		kind(t, err, fault.Unprocessable)
	})
}

func TestAnOperatorGivesUpAnInstance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i, _, op := m.stuckDelete(t, verbDeprovision)
		_, err := m.PurgeOperation(t.Context(), otto, op.ID, " ")
		kind(t, err, fault.Invalid)
		_, err = m.PurgeOperation(t.Context(), ada, op.ID, "because")
		kind(t, err, fault.Forbidden)
		if m.sees(t, i.ID).State != Deleting {
			t.Fatal("a refused request changed something")
		}
		purged, err := m.PurgeOperation(t.Context(), otto, op.ID, "The vendor is bankrupt.")
		if err != nil || purged.State != failed || !strings.Contains(purged.Note, "may still hold") {
			t.Fatal(purged, err)
		}
		if got := m.sees(t, i.ID); got.State != Gone {
			t.Fatal(got)
		}
		if e := m.deed(t, "operation.purge"); e.Detail["reason"] != "The vendor is bankrupt." || !strings.Contains(e.Detail["left"], i.ID) {
			t.Fatal(e)
		}
		if list, err := m.Operations(t.Context(), otto, true); err != nil || len(list) != 0 {
			t.Fatal(list, err)
		}
		_, err = m.Deprovision(t.Context(), ada, i.ID)
		kind(t, err, fault.Gone)
		m.driver.FailNext(verbDeprovision, 0, nil)
		m.made(t, "sync", "orders") // the name is free
	})
}

func TestAnOperatorGivesUpABindingAndItsInstanceGoesOn(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i, bd, op := m.stuckDelete(t, verbUnbind)
		if _, err := m.PurgeOperation(t.Context(), otto, op.ID, "It is gone there."); err != nil {
			t.Fatal(err)
		}
		m.becomes(t, i.ID, Gone)
		got, err := m.Binding(t.Context(), otto, bd.ID)
		if err != nil || got.State != Gone || !strings.Contains(got.Note, bd.ID) {
			t.Fatal(got, err)
		}
	})
}

func TestOnlyAStuckDeleteIsGivenUp(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.driver.FailNext(verbProvision, -1, fault.Unavailable.Errorf("Away."))
	i, _, err := m.Provision(t.Context(), ada, order("sync", "orders"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.PurgeOperation(t.Context(), otto, i.Operation.ID, "because")
	kind(t, err, fault.Unprocessable)
	m.driver.FailNext(verbProvision, 0, nil)
	m.ends(t, i.Operation.ID, succeeded)
	_, err = m.PurgeOperation(t.Context(), otto, i.Operation.ID, "because")
	kind(t, err, fault.Unprocessable)
}

// age makes an operation older than any patience.
func (m *market) age(t *testing.T, operation string) {
	t.Helper()
	long := time.Now().Add(-2 * week).UnixMicro()
	err := m.DB.Tx(t.Context(), func(ctx context.Context) error {
		return m.DB.From(ctx).Exec(`UPDATE operations SET started_at = ?, next_at = 0 WHERE id = ?`, long, operation).Error
	})
	if err != nil {
		t.Fatal(err)
	}
}

// What cannot succeed ends when the plan's patience does, and the broker itself cleans up until the backend is clean.
func TestWhatCannotSucceedEndsAndIsCleanedUp(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.driver.FailNext(verbProvision, -1, fault.Unavailable.Errorf("Away."))
	i, _, err := m.Provision(t.Context(), ada, order("sync", "orders"))
	if err != nil {
		t.Fatal(err)
	}
	m.age(t, i.Operation.ID)
	op := m.ends(t, i.Operation.ID, failed)
	if !strings.Contains(op.Note, "It did not end within") {
		t.Fatal(op)
	}
	m.becomes(t, i.ID, Gone)
	if left, err := m.driver.Leftovers(); err != nil || len(left) > 0 {
		t.Fatal("left behind", left, err)
	}
}
