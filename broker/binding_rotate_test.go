package broker

import (
	"context"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// bound binds app a and waits until that has ended well.
func (m *market) bound(t *testing.T, instance string) Binding {
	t.Helper()
	bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: instance, App: "app_a"})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, succeeded)
	return bd
}

func (m *market) binding(t *testing.T, id string) Binding {
	t.Helper()
	bd, err := m.Binding(t.Context(), ada, id)
	if err != nil {
		t.Fatal(err)
	}
	return bd
}

func TestARotation(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		ctx := t.Context()
		i := m.made(t, "rotatable", "orders")
		old := m.bound(t, i.ID)
		before, err := m.Credentials(ctx, ada, old.ID)
		if err != nil {
			t.Fatal(err)
		}
		bd, fresh, err := m.Rotate(ctx, ada, old.ID)
		if err != nil || !fresh || bd.Alias != old.Alias || bd.App != old.App || bd.Predecessor != old.ID {
			t.Fatal(bd, fresh, err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		after, err := m.Credentials(ctx, ada, bd.ID)
		if err != nil || after.Values["uri"] == before.Values["uri"] {
			t.Fatal(after, err)
		}
		old = m.binding(t, old.ID)
		still, err := m.Credentials(ctx, ada, old.ID)
		if old.State != Expiring || time.Until(old.ExpiresAt) < 50*time.Minute || err != nil || still.Values["uri"] != before.Values["uri"] {
			t.Fatal(old, err)
		}
		env, err := m.AppCredentials(ctx, ada, "app_a")
		if err != nil || len(env) != 1 || env[0].Binding.ID != bd.ID {
			t.Fatal(env, err)
		}
		if m.driver.Calls("unbind") != 0 {
			t.Fatal("revoked too early")
		}
		_, _, err = m.Rotate(ctx, ada, old.ID)
		kind(t, err, fault.Unprocessable)
		gone, err := m.Unbind(ctx, ada, old.ID) // need not wait for the grace time
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		next, _, err := m.Rotate(ctx, ada, bd.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, next.Operation.ID, succeeded)
		if i, err = m.Deprovision(ctx, ada, i.ID); err != nil {
			t.Fatal(err)
		}
		m.ends(t, i.Operation.ID, succeeded)
		if left, err := m.driver.Leftovers(); err != nil || len(left) > 0 {
			t.Fatal(left, err)
		}
	})
}

// A restart, a provider that is back and an operator's retry hasten what waits, but not the end of credentials that are still good.
func TestNothingEndsCredentialsBeforeTheirTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "rotatable", "orders")
		old := m.bound(t, i.ID)
		bd, _, err := m.Rotate(ctx, ada, old.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		m.stop()
		m = join(t, db, m.driver, m.books, m.key, "two")
		if err := m.resume(ctx, "fakes"); err != nil {
			t.Fatal(err)
		}
		if err := db.Tx(ctx, func(ctx context.Context) error { return m.hasten(ctx, i.ID) }); err != nil {
			t.Fatal(err)
		}
		ops, err := m.liveOperations(ctx, i.ID)
		if err != nil || len(ops) != 1 || ops[0].Verb != verbUnbind || time.Until(instant(ops[0].NextAt)) < 50*time.Minute {
			t.Fatalf("the end of the old credentials is due early: %+v, %v", ops, err)
		}
		m.bound(t, m.made(t, "sync", "another").ID) // whatever was due has had its turn by now
		if b := m.binding(t, old.ID); b.State != Expiring || m.driver.Calls("unbind") != 0 {
			t.Fatal("the old credentials were ended early:", b.State)
		}
	})
}

func TestAnExpiredBindingIsRevoked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.Grace = 300 * time.Millisecond
		i := m.made(t, "rotatable", "orders")
		old := m.bound(t, i.ID)
		bd, _, err := m.Rotate(t.Context(), ada, old.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		changes, err := m.Watch(t.Context(), ada, "prj_a")
		if err != nil {
			t.Fatal(err)
		}
		for late := time.After(20 * time.Second); m.binding(t, old.ID).State != Gone; {
			select {
			case <-changes:
			case <-late:
				t.Fatal("still there", m.binding(t, old.ID))
			}
		}
		if m.binding(t, bd.ID).State != Ready {
			t.Fatal(m.binding(t, bd.ID))
		}
	})
}

func TestARotationThatFailsLeavesTheOldOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "rotatable", "orders")
		old := m.bound(t, i.ID)
		m.driver.FailNext("bind", 1, fault.Refused.Errorf("No more logins."))
		bd, _, err := m.Rotate(t.Context(), ada, old.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, bd.Operation.ID, failed)
		if old = m.binding(t, old.ID); old.State != Ready || !old.ExpiresAt.IsZero() {
			t.Fatal(old)
		}
		again, fresh, err := m.Rotate(t.Context(), ada, old.ID)
		if err != nil || !fresh {
			t.Fatal(again, err)
		}
		m.ends(t, again.Operation.ID, succeeded)
	})
}

func TestRotationsThatAreRefused(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "sync", "orders")
	fixed := m.bound(t, i.ID)
	_, _, err := m.Rotate(t.Context(), ada, fixed.ID)
	kind(t, err, fault.Unprocessable)
	_, _, err = m.Rotate(t.Context(), eve, fixed.ID)
	kind(t, err, fault.Forbidden)
	_, _, err = m.Rotate(t.Context(), bob, fixed.ID)
	kind(t, err, fault.NotFound)
	other := m.made(t, "rotatable", "other")
	_, _, err = m.Bind(t.Context(), ada, BindOrder{Instance: other.ID, Predecessor: fixed.ID})
	kind(t, err, fault.Invalid)
}
