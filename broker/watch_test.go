package broker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// looks asks once which limits an instance has passed.
func (m *market) looks(t *testing.T, id string) Instance {
	t.Helper()
	p, _ := m.Providers.Get("fakes")
	eventually(t, "nobody else is at it", func() bool {
		r, _, err := m.findInstance(t.Context(), "id = ?", id)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.measure(t.Context(), p, r); err != nil {
			t.Fatal(err)
		}
		now, _, err := m.findInstance(t.Context(), "id = ?", id)
		return err == nil && now.Rev <= r.Rev+1
	})
	return m.sees(t, id)
}

func (m *market) passes(t *testing.T, d time.Duration) {
	t.Helper()
	if _, err := m.Calendar.Advance(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// rests waits until nothing is being done with an instance.
func (m *market) rests(t *testing.T, id string, s State) Instance {
	t.Helper()
	eventually(t, "it is "+string(s), func() bool {
		ops, err := m.liveOperations(t.Context(), id)
		return err == nil && len(ops) == 0 && m.sees(t, id).State == s
	})
	return m.sees(t, id)
}

var tooBig = providers.Excess{Limit: "size", Allowed: 10, Used: 12}

func TestAnInstanceOverItsLimitIsToldAndThenSuspended(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		if got := m.looks(t, i.ID); got.Health != "" {
			t.Fatal(got)
		}
		m.driver.Exceed(i.ID, tooBig)
		got := m.looks(t, i.ID)
		if got.State != Ready || got.Health != OverLimit || !strings.Contains(got.HealthNote, "size 12 of 10") || got.SuspendDue.IsZero() || got.Excess[0] != tooBig {
			t.Fatalf("%+v", got)
		}
		if e := m.deed(t, "instance.over_limit"); e.Detail["limits"] != "size 12 of 10" {
			t.Fatal(e)
		}
		due := got.SuspendDue
		m.passes(t, 23*time.Hour)
		if got = m.looks(t, i.ID); got.State != Ready || !got.SuspendDue.Equal(due) {
			t.Fatalf("%+v", got)
		}
		m.passes(t, 2*time.Hour)
		m.looks(t, i.ID)
		got = m.rests(t, i.ID, Suspended)
		if len(got.Suspensions) != 1 || got.Suspensions[0].Reason != ByLimit || !strings.Contains(got.Note, "over a limit") {
			t.Fatalf("%+v", got)
		}
		if left, _ := m.driver.Leftovers(); !slices.Equal(left, []string{"instance " + i.ID}) {
			t.Fatal("its data are gone", left)
		}
		_, err := m.Resume(t.Context(), ada, i.ID)
		kind(t, err, fault.Refused)
		m.driver.Exceed(i.ID)
		m.looks(t, i.ID)
		if got = m.rests(t, i.ID, Ready); got.Health != "" || len(got.Suspensions) != 0 || got.Note != "" {
			t.Fatalf("%+v", got)
		}
		m.deed(t, "instance.within_limits")
		if lines := m.books.all(); !slices.Equal(lines[len(lines)-2:], []string{"suspend", "resume"}) {
			t.Fatal(lines)
		}
	})
}

func TestALimitThatTheBackendHoldsIsOnlyTold(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "sync", "orders")
	held := tooBig
	held.Held = true
	m.driver.Exceed(i.ID, held)
	m.looks(t, i.ID)
	m.passes(t, 48*time.Hour)
	if got := m.looks(t, i.ID); got.State != Ready || got.Health != OverLimit || !got.SuspendDue.IsZero() {
		t.Fatalf("%+v", got)
	}
}

// An instance that is suspended for its size can be changed to a plan with room, and to no other: its owners cannot log in to make it smaller.
func TestABiggerPlanLetsAnInstanceInAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.overdue(t)
		change := func(plan string) error {
			_, _, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: plan})
			return err
		}
		kind(t, change(""), fault.Unprocessable)
		m.limits(t, "rotatable", 11)
		kind(t, change("rotatable"), fault.Unprocessable)
		m.limits(t, "rotatable", 20)
		m.driver.FailNext("update", 1, fault.Refused.Errorf("No."))
		if err := change("rotatable"); err != nil {
			t.Fatal(err)
		}
		m.rests(t, i.ID, Suspended) // a failed change leaves it as it was
		m.driver.Exceed(i.ID)
		if err := change("rotatable"); err != nil {
			t.Fatal(err)
		}
		if got := m.rests(t, i.ID, Ready); got.Plan != "rotatable" || got.Health != "" || len(got.Suspensions) != 0 {
			t.Fatalf("%+v", got)
		}
	})
}

// overdue gives an instance that is suspended for being over its limit.
func (m *market) overdue(t *testing.T) Instance {
	t.Helper()
	i := m.made(t, "sync", "orders")
	m.driver.Exceed(i.ID, tooBig)
	m.looks(t, i.ID)
	m.passes(t, 25*time.Hour)
	m.looks(t, i.ID)
	return m.rests(t, i.ID, Suspended)
}

// limits gives a plan on the shelf a limit of its size.
func (m *market) limits(t *testing.T, plan string, size int64) {
	t.Helper()
	for _, o := range m.shelf.Load().catalog.Offerings() {
		for n := range o.Plans {
			if o.Plans[n].Name == plan {
				o.Plans[n].Limits = map[string]int64{"size": size}
				return
			}
		}
	}
	t.Fatal("no such plan")
}

func TestAnOperatorGivesMoreTime(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.overdue(t)
	if _, err := m.Resume(t.Context(), otto, i.ID); err != nil {
		t.Fatal(err)
	}
	m.rests(t, i.ID, Ready)
	if got := m.looks(t, i.ID); got.State != Ready || got.Health != OverLimit {
		t.Fatalf("%+v", got)
	}
	m.passes(t, 25*time.Hour)
	m.looks(t, i.ID)
	m.rests(t, i.ID, Suspended)
}

func TestReasonsStack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "orders")
		bd := m.binds(t, i)
		_, err := m.Suspend(ctx, bob, i.ID, "")
		kind(t, err, fault.NotFound)
		_, err = m.Suspend(ctx, eve, i.ID, "")
		kind(t, err, fault.Forbidden)
		_, err = m.Suspend(ctx, ada, i.ID, "two\nlines")
		kind(t, err, fault.Invalid)
		if _, err := m.Suspend(ctx, ada, i.ID, "for the holidays"); err != nil {
			t.Fatal(err)
		}
		got := m.rests(t, i.ID, Suspended)
		if !strings.Contains(got.Note, "for the holidays") {
			t.Fatal(got.Note)
		}
		c, err := m.Credentials(ctx, ada, bd.ID)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.driver.Connect(c.Values); err == nil {
			t.Fatal("it lets in while it is suspended")
		}
		if _, err := m.Suspend(ctx, otto, i.ID, ""); err != nil {
			t.Fatal(err)
		}
		org := identity.Scope{Org: "org_a"}
		if err := m.SuspendAll(ctx, org, ByUnpaid, "INV-1"); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Resume(ctx, ada, i.ID); err != nil {
			t.Fatal("the owner's own reason", err)
		}
		_, err = m.Resume(ctx, ada, i.ID)
		kind(t, err, fault.Refused)
		if err := m.ResumeAll(ctx, org, ByUnpaid); err != nil {
			t.Fatal(err)
		}
		if got := m.rests(t, i.ID, Suspended); len(got.Suspensions) != 1 || got.Suspensions[0].Reason != ByOperator {
			t.Fatalf("%+v", got.Suspensions)
		}
		if _, err := m.Resume(ctx, otto, i.ID); err != nil {
			t.Fatal(err)
		}
		m.rests(t, i.ID, Ready)
		if _, err := m.driver.Connect(c.Values); err != nil {
			t.Fatal(err)
		}
		if _, err := m.Resume(ctx, ada, i.ID); err != nil {
			t.Fatal("the same again changes nothing", err)
		}
	})
}

// A resume takes the place of a suspend that is still running, and a delete takes the place of either.
func TestASuspendThatRunsIsReplaced(t *testing.T) {
	m, ctx := newMarket(t, dbtest.New(t)), t.Context()
	i := m.made(t, "sync", "orders")
	m.driver.FailNext("suspend", -1, fault.Unavailable.Errorf("Away."))
	held, err := m.Suspend(ctx, ada, i.ID, "")
	if err != nil || held.State != Suspended || held.Operation.Verb != verbSuspend {
		t.Fatal(held, err)
	}
	if _, err := m.Resume(ctx, ada, i.ID); err != nil {
		t.Fatal(err)
	}
	m.rests(t, i.ID, Ready)
	if _, err := m.Suspend(ctx, ada, i.ID, ""); err != nil {
		t.Fatal(err)
	}
	gone, err := m.Deprovision(ctx, ada, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, gone.Operation.ID, succeeded)
	m.rests(t, i.ID, Gone)
	_, err = m.Suspend(ctx, ada, i.ID, "")
	kind(t, err, fault.Gone)
}

func TestASuspendThatIsRefusedLeavesItReady(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "sync", "orders")
	m.driver.FailNext("suspend", 1, fault.Refused.Errorf("Never."))
	if _, err := m.Suspend(t.Context(), ada, i.ID, ""); err != nil {
		t.Fatal(err)
	}
	if got := m.rests(t, i.ID, Ready); len(got.Suspensions) != 0 || !strings.Contains(got.Note, "Never.") {
		t.Fatalf("%+v", got)
	}
}

// A budget that ran out while an instance was being made suspends it as soon as it is ready.
func TestWhatIsMadeUnderASuspensionIsSuspended(t *testing.T) {
	m, ctx := newMarket(t, dbtest.New(t)), t.Context()
	hold := m.driver.Hang("provision")
	i, _, err := m.Provision(ctx, ada, order("sync", "orders"))
	if err != nil {
		t.Fatal(err)
	}
	<-hold.Entered
	if err := m.SuspendAll(context.WithoutCancel(ctx), identity.Scope{Org: "org_a", Project: "prj_a"}, ByBudget, ""); err != nil {
		t.Fatal(err)
	}
	hold.Release()
	m.rests(t, i.ID, Suspended)
}
