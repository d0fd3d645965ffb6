package broker

import (
	"slices"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestWhatIsNotYoursIsNotThere(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	ctx := t.Context()
	i := m.made(t, "sync", "orders")
	bd, _, err := m.Bind(ctx, ada, BindOrder{Instance: i.ID, App: "app_a"})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, succeeded)
	calls := map[string]func(who identity.Principal, id string) error{
		"instance":    func(who identity.Principal, id string) error { _, err := m.Instance(ctx, who, "", id); return err },
		"by name":     func(who identity.Principal, id string) error { _, err := m.Instance(ctx, who, "prj_a", id); return err },
		"deprovision": func(who identity.Principal, id string) error { _, err := m.Deprovision(ctx, who, id); return err },
		"bind": func(who identity.Principal, id string) error {
			_, _, err := m.Bind(ctx, who, BindOrder{Instance: id})
			return err
		},
		"binding":     func(who identity.Principal, id string) error { _, err := m.Binding(ctx, who, id); return err },
		"unbind":      func(who identity.Principal, id string) error { _, err := m.Unbind(ctx, who, id); return err },
		"credentials": func(who identity.Principal, id string) error { _, err := m.Credentials(ctx, who, id); return err },
		"operation":   func(who identity.Principal, id string) error { _, err := m.Operation(ctx, who, id); return err },
		"watch":       func(who identity.Principal, id string) error { _, err := m.Watch(ctx, who, id); return err },
	}
	real := map[string]string{"by name": "orders", "binding": bd.ID, "unbind": bd.ID, "credentials": bd.ID, "operation": i.Operation.ID, "watch": "prj_a"}
	for name, call := range calls {
		id := real[name]
		if id == "" {
			id = i.ID
		}
		foreign, absent := call(bob, id), call(ada, "none")
		kind(t, foreign, fault.NotFound)
		kind(t, absent, fault.NotFound)
		want := fault.Of(absent).Text
		if got := fault.Of(foreign).Text; len(got)-len(id) != len(want)-len("none") {
			t.Errorf("%s: %q tells more than %q", name, got, want)
		}
	}
	for _, name := range []string{"deprovision", "bind", "unbind", "credentials"} {
		id := real[name]
		if id == "" {
			id = i.ID
		}
		kind(t, calls[name](eve, id), fault.Forbidden)
		kind(t, calls[name](otto, id), fault.Forbidden)
	}
	for who, want := range map[*identity.Principal]int{&ada: 1, &bob: 0, &otto: 1, &eve: 1} {
		list, err := m.Instances(ctx, *who, identity.Scope{})
		if err != nil || len(list) != want {
			t.Errorf("%s sees %d instances, want %d (%v)", who.Label(), len(list), want, err)
		}
		bindings, err := m.Bindings(ctx, *who, i.ID, "", "")
		if err != nil || len(bindings) != want {
			t.Errorf("%s sees %d bindings, want %d (%v)", who.Label(), len(bindings), want, err)
		}
	}
	if _, err := m.AppCredentials(ctx, otto, "app_a"); fault.KindOf(err) != fault.Forbidden {
		t.Error("an operator read an app's environment", err)
	}
	if _, err := m.Operations(ctx, ada, false); fault.KindOf(err) != fault.Forbidden {
		t.Error(err)
	}
	if ops, err := m.Operations(ctx, otto, false); err != nil || len(ops) != 2 {
		t.Error(ops, err)
	}
}

// byIDs names the order's offering and plan by their ids, as platforms do.
func (m *market) byIDs(t *testing.T, o ProvisionOrder) ProvisionOrder {
	t.Helper()
	offering, err := m.shelf.Load().catalog.Offering(o.Offering)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := offering.Plan(o.Plan)
	if err != nil {
		t.Fatal(err)
	}
	o.Offering, o.Plan = offering.ID, plan.ID
	return o
}

func TestAPlatformsOrdersRepeat(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		cf := identity.Principal{Kind: identity.Platform, ID: "plt_cf", Name: "cf", Grants: []identity.Grant{{Role: identity.Developer, Scope: shopA}}}
		o := m.byIDs(t, order("async", "orders"))
		o.Platform, o.PlatformInstance, o.Params = "plt_cf", "i-1", raw(`{"size":2,"label":"x"}`)
		first, fresh, err := m.Provision(t.Context(), cf, o)
		if err != nil || !fresh {
			t.Fatal(err)
		}
		o.Params = raw(` {"label":"x", "size":2}`)
		again, fresh, err := m.Provision(t.Context(), cf, o)
		if err != nil || fresh || again.Operation.ID != first.Operation.ID {
			t.Fatal(again, fresh, err)
		}
		o.Params = raw(`{"size":3}`)
		_, _, err = m.Provision(t.Context(), cf, o)
		kind(t, err, fault.Conflict)
		o.PlatformInstance = "i-2" // the same name: a platform's wish gives way
		second, fresh, err := m.Provision(t.Context(), cf, o)
		if err != nil || !fresh || second.Name == first.Name {
			t.Fatal(second.Name, fresh, err)
		}
		o.Platform = "plt_other"
		_, _, err = m.Provision(t.Context(), cf, o)
		kind(t, err, fault.Forbidden)
		o.Platform, o.AcceptsAsync = "plt_cf", false
		_, _, err = m.Provision(t.Context(), cf, o)
		if fault.Of(err).Code != "AsyncRequired" {
			t.Fatal(err)
		}
		m.ends(t, first.Operation.ID, succeeded)
		gone, err := m.Deprovision(t.Context(), cf, first.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		if i, err := m.InstanceOf(t.Context(), cf, "plt_cf", "i-1"); err != nil || i.State != Gone || i.Operation.State != succeeded {
			t.Fatal("forgotten", i, err)
		}
		o.PlatformInstance, o.AcceptsAsync = "i-1", true
		newer, fresh, err := m.Provision(t.Context(), cf, o)
		if err != nil || !fresh || newer.ID == first.ID {
			t.Fatal(newer, fresh, err)
		}
		if i, err := m.InstanceOf(t.Context(), cf, "plt_cf", "i-1"); err != nil || i.ID != newer.ID {
			t.Fatal("the newest counts", i, err)
		}
	})
}

func TestManyOrdersForOneNameMakeOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		errs := make(chan error, 8)
		for range 8 {
			go func() {
				_, _, err := m.Provision(t.Context(), ada, order("sync", "orders"))
				errs <- err
			}()
		}
		var kinds []fault.Kind
		won := 0
		for range 8 {
			if err := <-errs; err == nil {
				won++
			} else {
				kinds = append(kinds, fault.KindOf(err))
			}
		}
		if won != 1 || slices.ContainsFunc(kinds, func(k fault.Kind) bool { return k != fault.Conflict }) {
			t.Fatal(won, kinds)
		}
	})
}

func TestWaitAndWatch(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	hold := m.driver.Hang("provision")
	changes, err := m.Watch(t.Context(), ada, "prj_a")
	if err != nil {
		t.Fatal(err)
	}
	i, _, err := m.Provision(t.Context(), ada, order("sync", "orders"))
	if err != nil {
		t.Fatal(err)
	}
	if op, err := m.Wait(t.Context(), i.Operation.ID, time.Millisecond); err != nil || op.Done() {
		t.Fatal("it waits no longer than it was told", op, err)
	}
	hold.Release()
	m.ends(t, i.Operation.ID, succeeded)
	var seen []State
	for len(seen) == 0 || seen[len(seen)-1] != Ready {
		c := <-changes
		if c.Instance != i.ID || c.Project != "prj_a" {
			t.Fatal(c)
		}
		seen = append(seen, c.State)
	}
	if seen[0] != Creating {
		t.Fatal(seen)
	}
	_, err = m.Wait(t.Context(), "op_none", time.Second)
	kind(t, err, fault.NotFound)
}
