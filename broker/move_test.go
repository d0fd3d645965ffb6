package broker

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestAMoveTakesDataNameAndBindingsAlong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		p, ctx := newPair(t, db), t.Context()
		i, bd := p.inUse(t)
		p.moves(t, i.ID)
		m := p.comes(t, i.ID, moveMoved)
		if m.Bytes == 0 || m.Counted["keys"] != 1 || m.Copied["keys"] != 1 || !m.Switched {
			t.Errorf("%+v", m)
		}
		moved, err := p.Instance(ctx, ada, "prj_a", "orders")
		if err != nil || moved.ID != m.Target || moved.Provider != "others" || moved.State != Ready {
			t.Fatal(moved, err)
		}
		old := p.sees(t, i.ID)
		if old.State != Suspended || !strings.HasPrefix(old.Name, "orders-moved-") || old.Suspensions[0].Reason != ByMove {
			t.Errorf("%+v", old)
		}
		p.holds(t, p.there, "greeting", "hello")
		if c, err := p.Credentials(ctx, ada, bd.ID); err != nil {
			t.Fatal(err)
		} else if _, err := p.driver.Connect(c.Values); err == nil {
			t.Error("the old instance still lets in")
		}
		kept := p.env(t).Binding.ID
		if m, err = p.ConfirmMove(ctx, ada, moved.ID); err != nil || m.State != moveConfirmed {
			t.Fatal(m, err)
		}
		if m, err = p.ConfirmMove(ctx, ada, moved.ID); err != nil || m.EndedAt.IsZero() {
			t.Fatal("the same again", m, err)
		}
		p.becomes(t, i.ID, Gone)
		p.holds(t, p.there, "greeting", "hello")
		if p.env(t).Binding.ID != kept {
			t.Error("the binding changed with the confirmation")
		}
		if left, err := p.driver.Leftovers(); err != nil || len(left) > 0 {
			t.Error(left, err)
		}
		want := []string{"admit orders", "start acc_a orders sync", "suspend", "start acc_a orders sync", "stop"}
		got := slices.DeleteFunc(p.books.all(), func(l string) bool { return strings.HasPrefix(l, "admit orders-moving") })
		if !slices.Equal(got, want) {
			t.Errorf("charged %v", got)
		}
		_, err = p.RollBackMove(ctx, ada, moved.ID, "orders")
		kind(t, err, fault.Conflict)
	})
}

func TestARollBackGivesTheOldInstanceItsPlaceAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		p, ctx := newPair(t, db), t.Context()
		i, bd := p.inUse(t)
		m := p.moves(t, i.ID)
		p.comes(t, i.ID, moveMoved)
		p.put(t, p.there, "greeting", "written since")
		late, _, err := p.Bind(ctx, ada, BindOrder{Instance: m.Target, App: "app_a", Alias: "LATER"}) // additive: it goes with the new instance
		if err != nil {
			t.Fatal(err)
		}
		p.ends(t, late.Operation.ID, succeeded)
		_, err = p.RollBackMove(ctx, ada, i.ID, "")
		kind(t, err, fault.Invalid)
		if _, err = p.RollBackMove(ctx, ada, i.ID, "orders"); err != nil {
			t.Fatal(err)
		}
		p.comes(t, i.ID, moveUndone)
		p.becomes(t, m.Target, Gone)
		if old := p.sees(t, i.ID); old.State != Ready || old.Name != "orders" || len(old.Suspensions) != 0 {
			t.Fatalf("%+v", old)
		}
		if p.env(t).Binding.ID != bd.ID {
			t.Error("not the old binding")
		}
		p.holds(t, p.driver, "greeting", "hello")
		if left, err := p.there.Leftovers(); err != nil || len(left) > 0 {
			t.Error(left, err)
		}
		again := p.moves(t, i.ID) // nothing of the first move is in the way
		p.comes(t, i.ID, moveMoved)
		p.holds(t, p.there, "greeting", "hello")
		if _, err := p.ConfirmMove(ctx, ada, again.Target); err != nil {
			t.Fatal(err)
		}
	})
}

func TestWhatFailsBeforeTheSwitchIsRolledBackByItself(t *testing.T) {
	for _, c := range []struct {
		name string
		fail func(p pair)
		says string
	}{
		{"the new instance cannot be made", func(p pair) { p.there.FailNext("provision", -1, fault.Refused.Errorf("The server is full.")) }, "The server is full."},
		{"the old one cannot be suspended", func(p pair) { p.driver.FailNext("suspend", -1, fault.Refused.Errorf("It will not rest.")) }, "It will not rest."},
		{"the copy breaks every time", func(p pair) { p.driver.FailNext("backup", -1, errors.New("the connection broke")) }, "could not be copied, in 3 tries"},
		{"the copy is refused", func(p pair) { p.there.FailNext("restore", -1, fault.Refused.Errorf("The disk is full.")) }, "The disk is full."},
		{"a binding cannot be made", func(p pair) { p.there.FailNext("bind", -1, fault.Refused.Errorf("No more logins.")) }, "No more logins."},
	} {
		t.Run(c.name, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				p := newPair(t, db)
				i, bd := p.inUse(t)
				c.fail(p)
				p.moves(t, i.ID)
				m := p.comes(t, i.ID, moveFailed)
				if !strings.Contains(m.Note, c.says) || m.Switched {
					t.Errorf("%+v", m)
				}
				if old := p.sees(t, i.ID); old.State != Ready || old.Name != "orders" {
					t.Errorf("%+v", old)
				}
				p.holds(t, p.driver, "greeting", "hello")
				if p.env(t).Binding.ID != bd.ID {
					t.Error("not the old binding")
				}
				p.becomes(t, m.Target, Gone)
				if left, err := p.there.Leftovers(); err != nil || len(left) > 0 {
					t.Error(left, err)
				}
			})
		})
	}
}

func TestACopyThatBreaksOffOnceIsMadeAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		p := newPair(t, db)
		i, _ := p.inUse(t)
		p.there.FailNext("restore", 1, errors.New("the connection broke"))
		p.moves(t, i.ID)
		p.comes(t, i.ID, moveMoved)
		p.holds(t, p.there, "greeting", "hello")
	})
}

// Wherever the process is killed, the next one goes on from there.
func TestAnotherProcessGoesOnWithAMove(t *testing.T) {
	for _, at := range []string{"provision", "suspend", "restore", "bind"} {
		t.Run(at, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				p := newPair(t, db)
				i, _ := p.inUse(t)
				d := p.there
				if at == "suspend" {
					d = p.driver
				}
				hold := d.Hang(at)
				p.moves(t, i.ID)
				<-hold.Entered
				p.stop()
				hold.Release()
				second := pair{join(t, db, p.driver, p.books, p.key, "two", p.other(t)), p.there}
				second.comes(t, i.ID, moveMoved)
				second.holds(t, second.there, "greeting", "hello")
			})
		})
	}
}

func TestAMoveThatIsUnderWayIsNotDisturbed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		p, ctx := newPair(t, db), t.Context()
		i, bd := p.inUse(t)
		hold := p.there.Hang("restore")
		m := p.moves(t, i.ID)
		<-hold.Entered
		refused := func(instance, binding string) {
			t.Helper()
			_, err := p.Deprovision(ctx, ada, instance)
			kind(t, err, fault.Busy)
			_, err = p.Unbind(ctx, ada, binding)
			kind(t, err, fault.Busy)
			_, _, err = p.Move(ctx, ada, MoveOrder{Instance: instance, Provider: "fakes", Plan: "rotatable", Currency: "EUR"})
			kind(t, err, fault.Busy)
		}
		refused(i.ID, bd.ID)
		_, _, err := p.Bind(ctx, ada, BindOrder{Instance: i.ID, App: "app_a", Alias: "MORE"})
		kind(t, err, fault.Busy)
		_, _, err = p.Update(ctx, ada, UpdateOrder{Instance: i.ID, Plan: "rotatable", AcceptsAsync: true})
		kind(t, err, fault.Busy)
		_, err = p.Resume(ctx, ada, i.ID)
		kind(t, err, fault.Refused)
		_, err = p.ConfirmMove(ctx, ada, i.ID)
		kind(t, err, fault.Conflict)
		hold.Release()
		p.comes(t, i.ID, moveMoved)
		_, err = p.Deprovision(ctx, ada, m.Target)
		kind(t, err, fault.Busy)
		leaked := p.env(t)
		gone, err := p.Unbind(ctx, ada, leaked.Binding.ID) // a leaked login is revoked at once, whatever becomes of the move
		if err != nil {
			t.Fatal(err)
		}
		p.ends(t, gone.Operation.ID, succeeded)
		if _, err := p.there.Connect(leaked.Values); err == nil {
			t.Error("what was revoked still lets in")
		}
		if _, err := p.RollBackMove(ctx, ada, m.Target, "orders"); err != nil {
			t.Fatal(err)
		}
		p.comes(t, i.ID, moveUndone)
	})
}

func TestAMoveIsTakenBackWhileItCopies(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		p := newPair(t, db)
		i, _ := p.inUse(t)
		hold := p.there.Hang("restore")
		m := p.moves(t, i.ID)
		<-hold.Entered
		if _, err := p.RollBackMove(t.Context(), ada, i.ID, ""); err != nil {
			t.Fatal(err)
		}
		p.comes(t, i.ID, moveUndone)
		p.becomes(t, m.Target, Gone)
		p.holds(t, p.driver, "greeting", "hello")
	})
}

func TestWhatCannotBeMovedSaysWhy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		p, ctx := newPair(t, db), t.Context()
		i, _ := p.inUse(t)
		for _, c := range []struct {
			name string
			who  identity.Principal
			o    MoveOrder
			kind fault.Kind
			says string
		}{
			{"nowhere", ada, MoveOrder{Instance: i.ID}, fault.Invalid, "needs the provider"},
			{"an unknown provider", ada, MoveOrder{Instance: i.ID, Provider: "nobody"}, fault.NotFound, ""},
			{"where it is", ada, MoveOrder{Instance: i.ID, Provider: "fakes", Plan: "sync"}, fault.Conflict, "already"},
			{"another's", bob, MoveOrder{Instance: i.ID, Provider: "others"}, fault.NotFound, "no instance"},
			{"a viewer's", eve, MoveOrder{Instance: i.ID, Provider: "others"}, fault.Forbidden, ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				c.o.Currency = "EUR"
				_, _, err := p.Move(ctx, c.who, c.o)
				kind(t, err, c.kind)
				if !strings.Contains(err.Error(), c.says) {
					t.Error(err)
				}
			})
		}
		for _, who := range []identity.Principal{bob, eve} {
			want := fault.NotFound
			p.movesOnce(t, i.ID)
			if who.ID == eve.ID {
				want = fault.Forbidden
			}
			_, err := p.ConfirmMove(ctx, who, i.ID)
			kind(t, err, want)
			_, err = p.RollBackMove(ctx, who, i.ID, "orders")
			kind(t, err, want)
		}
		cf := identity.Principal{Kind: identity.Platform, ID: "plt_cf", Name: "cf", Grants: []identity.Grant{{Role: identity.Developer, Scope: shopA}}}
		o := p.byIDs(t, order("sync", "theirs"))
		o.Platform, o.PlatformInstance = "plt_cf", "i-1"
		theirs, _, err := p.Provision(ctx, cf, o)
		if err != nil {
			t.Fatal(err)
		}
		p.ends(t, theirs.Operation.ID, succeeded)
		_, _, err = p.Move(ctx, ada, MoveOrder{Instance: theirs.ID, Provider: "others", Currency: "EUR"})
		kind(t, err, fault.Unprocessable)
		if !strings.Contains(err.Error(), "platform") {
			t.Error(err)
		}
	})
}

// movesOnce begins a move unless there is one.
func (p pair) movesOnce(t *testing.T, instance string) {
	t.Helper()
	if _, err := p.MoveOf(t.Context(), ada, instance); err != nil {
		p.moves(t, instance)
		p.comes(t, instance, moveMoved)
	}
}

func TestCopiesAreCompared(t *testing.T) {
	type m = map[string]int64
	for _, c := range []struct {
		name               string
		before, got, after m
		same               bool
	}{
		{"alike", m{"a": 2}, m{"a": 2}, m{"a": 2}, true},
		{"an empty one is none", m{"a": 0}, m{}, m{}, true},
		{"some expired meanwhile", m{"a": 5}, m{"a": 4}, m{"a": 3}, true},
		{"one is missing", m{"a": 2, "b": 1}, m{"a": 2}, m{"a": 2, "b": 1}, false},
		{"one too many", m{"a": 2}, m{"a": 2, "b": 1}, m{"a": 2}, false},
		{"fewer", m{"a": 2}, m{"a": 1}, m{"a": 2}, false},
		{"more", m{"a": 2}, m{"a": 3}, m{"a": 2}, false},
	} {
		if err := same(c.before, c.got, c.after); (err == nil) != c.same {
			t.Error(c.name, err)
		}
	}
}
