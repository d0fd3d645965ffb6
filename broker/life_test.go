package broker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestAWholeLife(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		ctx := t.Context()
		i := m.made(t, "flaky", "orders")
		if i.State != Ready || i.ReadyAt.IsZero() || i.Provider != "fakes" || i.Region != "here" {
			t.Fatalf("%+v", i)
		}
		bd, fresh, err := m.Bind(ctx, ada, BindOrder{Instance: i.ID, App: "app_a"})
		if err != nil || !fresh || bd.Alias != "FAKE" || bd.AppName != "name-app_a" {
			t.Fatal(bd, fresh, err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		c, err := m.Credentials(ctx, ada, bd.ID)
		if err != nil || !strings.HasPrefix(c.Values["uri"].(string), "fake://") || c.Binding.State != Ready {
			t.Fatal(c, err)
		}
		env, err := m.AppCredentials(ctx, ada, "app_a")
		if err != nil || len(env) != 1 || env[0].Values["uri"] != c.Values["uri"] {
			t.Fatal(env, err)
		}
		again, fresh, err := m.Bind(ctx, ada, BindOrder{Instance: i.ID, App: "app_a"})
		if err != nil || fresh || again.ID != bd.ID {
			t.Fatal("the same binding again is no new one", again, fresh, err)
		}
		bd, err = m.Unbind(ctx, ada, bd.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		if _, err := m.Credentials(ctx, ada, bd.ID); fault.KindOf(err) != fault.Gone {
			t.Fatal(err)
		}
		_, err = m.Unbind(ctx, ada, bd.ID)
		kind(t, err, fault.Gone)
		i, err = m.Deprovision(ctx, ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, i.Operation.ID, succeeded)
		_, err = m.Deprovision(ctx, ada, i.ID)
		kind(t, err, fault.Gone)
		want := []string{"admit orders", "start acc_a orders flaky", "stop"}
		if got := m.books.all(); !slices.Equal(got, want) {
			t.Fatalf("charged %v, want %v", got, want)
		}
		report, err := m.Audit.List(ctx, "org_a", 100)
		if err != nil {
			t.Fatal(err)
		}
		var deeds []string
		for _, e := range report {
			deeds = append(deeds, e.Action)
		}
		for _, want := range []string{"instance.provision", "binding.bind", "credentials.read", "binding.unbind", "instance.deprovision", "operation.succeeded"} {
			if !slices.Contains(deeds, want) {
				t.Errorf("the trail lacks %s: %v", want, deeds)
			}
		}
	})
}

func TestADeleteTakesTheBindingsAlong(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID, App: "app_a"})
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		first, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, first.Operation.ID, succeeded)
		if bd, err = m.Binding(t.Context(), ada, bd.ID); err != nil || bd.State != Gone || bd.Operation.Verb != verbUnbind {
			t.Fatal(bd, err)
		}
		if n := m.driver.Calls("unbind"); n != 1 {
			t.Fatal("unbound", n)
		}
	})
}

func TestADeleteReplacesARunningCreate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		hold := m.driver.Hang("provision")
		i, _, err := m.Provision(t.Context(), ada, order("sync", "orders"))
		if err != nil {
			t.Fatal(err)
		}
		<-hold.Entered
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil || gone.State != Deleting {
			t.Fatal(gone, err)
		}
		same, err := m.Deprovision(t.Context(), ada, i.ID)
		if err == nil && same.Operation.ID != gone.Operation.ID {
			t.Fatal("another operation for the same delete")
		}
		m.ends(t, gone.Operation.ID, succeeded)
		m.ends(t, i.Operation.ID, failed)
		if got := m.books.all(); slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "start") }) {
			t.Fatal("charged", got)
		}
	})
}

func TestAFailedCreateIsCleanedUpAndKeepsSayingFailed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i, _, err := m.Provision(t.Context(), ada, order("failing", "orders"))
		if err != nil {
			t.Fatal(err)
		}
		op := m.ends(t, i.Operation.ID, failed)
		if !strings.Contains(op.Note, "refuses") {
			t.Fatal(op.Note)
		}
		i = m.becomes(t, i.ID, Gone)
		if i.Operation.ID != op.ID || i.Operation.State != failed || !strings.Contains(i.Note, "refuses") {
			t.Fatalf("%+v", i)
		}
		if m.driver.Calls("deprovision") == 0 {
			t.Fatal("nothing was cleaned up")
		}
		m.made(t, "sync", "orders") // the name is free again
	})
}

func TestAFailedBindIsCleanedUp(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "sync", "orders")
	m.driver.FailNext("bind", 1, fault.Refused.Errorf("No more logins."))
	bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID, App: "app_a"})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, failed)
	again, fresh, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID, App: "app_a", Alias: "OTHER"})
	if err != nil || !fresh {
		t.Fatal(err)
	}
	m.ends(t, again.Operation.ID, succeeded)
}

// Patience ends: what has not come about within the plan's time is a failure, and is cleaned up.
func TestPatienceHasAnEnd(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	offers, err := m.Market(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	hasty := offers[0].Offering
	hasty.Plans = slices.Clone(hasty.Plans)
	for n := range hasty.Plans {
		hasty.Plans[n].MaxPolling = time.Nanosecond
	}
	err = m.DB.Tx(t.Context(), func(ctx context.Context) error { return m.saveSold(ctx, []catalog.Offering{hasty}) })
	if err != nil {
		t.Fatal(err)
	}
	m.driver.FailNext("provision", -1, nil)
	i, _, err := m.Provision(t.Context(), ada, order("sync", "orders"))
	if err != nil {
		t.Fatal(err)
	}
	if op := m.ends(t, i.Operation.ID, failed); !strings.Contains(op.Note, "did not end within") {
		t.Fatal(op.Note)
	}
	m.becomes(t, i.ID, Gone)
}

func TestBadOrdersChangeNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.made(t, "sync", "taken")
		with := func(change func(*ProvisionOrder)) ProvisionOrder {
			o := order("async", "fine")
			change(&o)
			return o
		}
		for _, c := range []struct {
			name  string
			who   identity.Principal
			order ProvisionOrder
			kind  fault.Kind
			says  string
		}{
			{"a name taken", ada, order("sync", "taken"), fault.Conflict, "taken"},
			{"a name that is none", ada, order("sync", "No Name"), fault.Invalid, "No Name"},
			{"an unknown offering", ada, with(func(o *ProvisionOrder) { o.Offering = "faek" }), fault.NotFound, "fake"},
			{"an unknown plan", ada, order("synk", "fine"), fault.NotFound, "sync"},
			{"parameters that do not fit", ada, with(func(o *ProvisionOrder) { o.Params = raw(`{"size":"secret-value"}`) }), fault.Invalid, ""},
			{"parameters where none are taken", ada, with(func(o *ProvisionOrder) { o.Plan, o.Params = "sync", raw(`{"size":1}`) }), fault.Invalid, ""},
			{"parameters that are no object", ada, with(func(o *ProvisionOrder) { o.Params = raw(`[1]`) }), fault.Invalid, ""},
			{"another tenant's project", bob, order("sync", "fine"), fault.NotFound, `no project "prj_a"`},
			{"a project that is not there", bob, with(func(o *ProvisionOrder) { o.Project = "prj_none" }), fault.NotFound, `no project "prj_none"`},
			{"a viewer", eve, order("sync", "fine"), fault.Forbidden, ""},
			{"an app that is not there", ada, with(func(o *ProvisionOrder) { o.App = "app_none" }), fault.NotFound, ""},
		} {
			t.Run(c.name, func(t *testing.T) {
				_, _, err := m.Provision(t.Context(), c.who, c.order)
				kind(t, err, c.kind)
				if !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret-value") {
					t.Fatal(err)
				}
			})
		}
		t.Run("a budget that is spent", func(t *testing.T) {
			m.books.no = fault.Refused.Errorf("The budget is spent.")
			_, _, err := m.Provision(t.Context(), ada, order("sync", "fine"))
			kind(t, err, fault.Refused)
		})
		list, err := m.Instances(t.Context(), ada, shopA)
		if err != nil || len(list) != 1 || m.driver.Calls("provision") != 1 {
			t.Fatal(list, err)
		}
	})
}

func TestAProviderThatIsDownShowsItsOffersAndTakesNoOrders(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.driver.FailNext("probe", -1, nil)
	p, _ := m.Providers.Get("fakes")
	_ = p.Probe(t.Context())
	offers, err := m.Market(t.Context(), ada)
	if err != nil || len(offers) != 1 || offers[0].Status != "down" || offers[0].Note == "" {
		t.Fatal(offers, err)
	}
	_, _, err = m.Provision(t.Context(), ada, order("sync", ""))
	kind(t, err, fault.Unavailable)
}

func TestTheLastKnownCatalogOutlivesTheProvidersAnswer(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.stop()
		m.driver.FailNext("offerings", -1, nil)
		second := join(t, db, m.driver, m.books, m.key, "two")
		offers, err := second.Market(t.Context(), ada)
		if err != nil || len(offers) != 1 || len(offers[0].Plans) != 9 {
			t.Fatal(offers, err)
		}
	})
}
