package broker

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// updated asks for a change and waits until it has ended.
func (m *market) updated(t *testing.T, o UpdateOrder, state string) Instance {
	t.Helper()
	i, fresh, err := m.Update(t.Context(), ada, o)
	if err != nil || !fresh || i.State != Updating {
		t.Fatal(i, fresh, err)
	}
	m.ends(t, i.Operation.ID, state)
	return m.sees(t, i.ID)
}

// terms changes plans of the catalog, as another configuration would.
func (m *market) terms(t *testing.T, change func(*catalog.Plan)) {
	t.Helper()
	list := m.shelf.Load().catalog.Offerings()
	for n := range list {
		list[n].Plans = slices.Clone(list[n].Plans)
		for k := range list[n].Plans {
			change(&list[n].Plans[k])
		}
	}
	if err := m.DB.Tx(t.Context(), func(ctx context.Context) error { return m.saveSold(ctx, list) }); err != nil {
		t.Fatal(err)
	}
}

func TestAnUpdateChangesPlanAndParameters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "async", "orders")
		i = m.updated(t, UpdateOrder{Instance: i.ID, Params: raw(`{"size":3}`)}, succeeded)
		i = m.updated(t, UpdateOrder{Instance: i.ID, Params: raw(`{"label":"x"}`)}, succeeded)
		if i.State != Ready || !equalJSON(i.Params, raw(`{"size":3,"label":"x"}`)) {
			t.Fatalf("%+v %s", i, i.Params)
		}
		i = m.updated(t, UpdateOrder{Instance: i.ID, Plan: "maintained"}, succeeded)
		if i.Plan != "maintained" || i.Maintenance != "2.1.0" || !equalJSON(i.Params, raw(`{"size":3,"label":"x"}`)) {
			t.Fatalf("%+v", i)
		}
		calls := m.driver.Calls("update")
		same, fresh, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "maintained", Maintenance: "2.1.0"})
		if err != nil || fresh || same.State != Ready || m.driver.Calls("update") != calls {
			t.Fatal("what has come about is done again", same, fresh, err)
		}
		want := []string{"admit orders", "start acc_a orders async", "admit orders", "change orders"}
		if got := m.books.all(); !slices.Equal(got, want) {
			t.Fatalf("charged %v, want %v", got, want)
		}
	})
}

func TestAFailedUpdateKeepsWhatWas(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "async", "orders")
		i = m.updated(t, UpdateOrder{Instance: i.ID, Plan: "failing"}, failed)
		if i.State != Ready || i.Plan != "async" || !strings.Contains(i.Note, "refuses") || i.Operation.Repeatable {
			t.Fatalf("%+v", i)
		}
		if got := m.books.all(); slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "change") }) {
			t.Fatal("charged", got)
		}
		m.updated(t, UpdateOrder{Instance: i.ID, Plan: "sync"}, succeeded)
	})
}

func TestUpdatesComeOneAfterTheOther(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		hold := m.driver.Hang("update")
		first, _, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "rotatable"})
		if err != nil {
			t.Fatal(err)
		}
		again, fresh, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "rotatable"})
		if err != nil || fresh || again.Operation.ID != first.Operation.ID {
			t.Fatal(again, fresh, err)
		}
		_, _, err = m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "maintained"})
		kind(t, err, fault.Busy)
		_, _, err = m.Bind(t.Context(), ada, BindOrder{Instance: i.ID, App: "app_a"})
		kind(t, err, fault.Busy)
		<-hold.Entered
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil || gone.State != Deleting {
			t.Fatal(gone, err)
		}
		if n := m.driver.Calls("deprovision"); n != 0 {
			t.Fatal("a delete did not wait for the step of the update")
		}
		hold.Release()
		m.ends(t, gone.Operation.ID, succeeded)
		m.ends(t, first.Operation.ID, failed)
		if left, err := m.driver.Leftovers(); err != nil || len(left) > 0 {
			t.Fatal(left, err)
		}
	})
}

func TestUpdatesThatAreRefusedChangeNothing(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.terms(t, func(p *catalog.Plan) {
		switch p.Name {
		case "sync":
			p.Targets = []string{"rotatable"}
		case "unbindable":
			p.Updatable = false
		}
	})
	i, fixed := m.made(t, "sync", "orders"), m.made(t, "unbindable", "fixed")
	full := m.made(t, "async", "full")
	for _, c := range []struct {
		name  string
		order UpdateOrder
		kind  fault.Kind
		code  string
	}{
		{"a plan that is no target", UpdateOrder{Instance: i.ID, Plan: "maintained"}, fault.Unprocessable, ""},
		{"a plan that is not there", UpdateOrder{Instance: i.ID, Plan: "huge"}, fault.NotFound, ""},
		{"a plan that cannot be left", UpdateOrder{Instance: fixed.ID, Plan: "sync"}, fault.Unprocessable, ""},
		{"parameters that do not fit", UpdateOrder{Instance: full.ID, Params: raw(`{"size":99}`)}, fault.Invalid, ""},
		{"parameters where none are taken", UpdateOrder{Instance: i.ID, Params: raw(`{"size":1}`)}, fault.Invalid, ""},
		{"parameters that are no object", UpdateOrder{Instance: full.ID, Params: raw(`[]`)}, fault.Invalid, ""},
		{"another maintenance version", UpdateOrder{Instance: i.ID, Maintenance: "9.9.9"}, fault.Unprocessable, "MaintenanceInfoConflict"},
		{"a platform that does not wait", UpdateOrder{Instance: full.ID, Platform: "plt", Params: raw(`{"size":2}`)}, fault.Unprocessable, "AsyncRequired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := m.Update(t.Context(), ada, c.order)
			kind(t, err, c.kind)
			if fault.Of(err).Code != c.code {
				t.Fatal(fault.Of(err).Code)
			}
		})
	}
	_, _, err := m.Update(t.Context(), bob, UpdateOrder{Instance: i.ID, Plan: "rotatable"})
	kind(t, err, fault.NotFound)
	_, _, err = m.Update(t.Context(), eve, UpdateOrder{Instance: i.ID, Plan: "rotatable"})
	kind(t, err, fault.Forbidden)
	m.books.no = fault.Refused.Errorf("The budget is spent.")
	_, _, err = m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "rotatable"})
	kind(t, err, fault.Refused)
	if n := m.driver.Calls("update"); n != 0 || m.sees(t, i.ID).Plan != "sync" {
		t.Fatal("a refused update did something", n)
	}
}

func TestMaintenance(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "maintained", "orders")
	if i.Maintenance != "2.1.0" {
		t.Fatalf("%+v", i)
	}
	m.terms(t, func(p *catalog.Plan) {
		if p.Maintenance != nil {
			p.Maintenance = &catalog.Maintenance{Version: "2.2.0"}
		}
	})
	if _, fresh, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID}); err != nil || fresh {
		t.Fatal("nobody asked for maintenance", fresh, err)
	}
	if i = m.updated(t, UpdateOrder{Instance: i.ID, Maintenance: Newest}, succeeded); i.Maintenance != "2.2.0" {
		t.Fatalf("%+v", i)
	}
}

// A process that dies in the middle of an update leaves it to the next one.
func TestAnUpdateSurvivesItsProcess(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		hold := m.driver.Hang("update")
		i, _, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "rotatable"})
		if err != nil {
			t.Fatal(err)
		}
		<-hold.Entered
		m.stop()
		hold.Release()
		second := join(t, db, m.driver, m.books, m.key, "two")
		second.ends(t, i.Operation.ID, succeeded)
		if i = second.sees(t, i.ID); i.Plan != "rotatable" || i.State != Ready {
			t.Fatalf("%+v", i)
		}
	})
}

// What an instance has been given goes along to another plan, or the plan is refused: what it takes in an order or in an update, and where nothing
// differs between the plans, whatever there is.
func TestAPlanTakesWhatIsKept(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	schema := func(s string) []byte {
		return raw(`{"type":"object","additionalProperties":false,"properties":{` + s + `}}`)
	}
	i := m.made(t, "async", "orders")
	i = m.updated(t, UpdateOrder{Instance: i.ID, Params: raw(`{"size":3,"label":"hush"}`)}, succeeded)
	for _, c := range []struct {
		name           string
		create, update []byte
		says           string
	}{
		{"none at all", nil, nil, "/label is not known"},
		{"one of them", schema(`"size":{}`), schema(`"size":{}`), "/label is not known"},
		{"smaller ones", schema(`"label":{},"size":{"maximum":2}`), schema(`"label":{},"size":{"maximum":2}`), "/size must be at most 2"},
		{"in an order", schema(`"label":{},"size":{}`), nil, ""},
		{"as an update", nil, schema(`"label":{},"size":{}`), ""},
	} {
		set := func(p *catalog.Plan) {
			if p.Name == "rotatable" {
				p.Schemas.Create, p.Schemas.Update = c.create, c.update
			}
		}
		m.terms(t, set)
		for _, o := range m.shelf.Load().catalog.Offerings() { // what is on sale, too; nobody else looks now
			for n := range o.Plans {
				set(&o.Plans[n])
			}
		}
		calls := m.driver.Calls("update")
		_, _, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "rotatable"})
		if c.says == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			m.ends(t, m.sees(t, i.ID).Operation.ID, succeeded)
			m.updated(t, UpdateOrder{Instance: i.ID, Plan: "async"}, succeeded)
			continue
		}
		kind(t, err, fault.Invalid)
		if f := fault.Of(err); !strings.Contains(f.Text, c.says) || strings.Contains(f.Text, "hush") || len(f.Fields) == 0 {
			t.Errorf("%s: %v %v", c.name, f.Text, f.Fields)
		}
		if now := m.sees(t, i.ID); now.State != Ready || now.Plan != "async" || m.driver.Calls("update") != calls {
			t.Errorf("%s: it was changed: %+v", c.name, now)
		}
	}
}
