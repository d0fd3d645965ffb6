package broker

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// fickle is a backend that stops selling: one plan, or everything.
type fickle struct {
	*fake.Driver
	gone *atomic.Value // string: a plan's name, or "all"
}

func (f fickle) Offerings(ctx context.Context) ([]catalog.Offering, error) {
	list, err := f.Driver.Offerings(ctx)
	gone, _ := f.gone.Load().(string)
	if gone == "all" {
		return nil, err
	}
	for n := range list {
		list[n].Plans = slices.DeleteFunc(slices.Clone(list[n].Plans), func(p catalog.Plan) bool { return p.Name == gone })
	}
	return list, err
}

// stocked finds an offer in what ada is shown.
func (m *market) stocked(t *testing.T, name string) (Offer, bool) {
	t.Helper()
	offers, err := m.Stock(t.Context(), ada)
	if err != nil {
		t.Fatal(err)
	}
	n := slices.IndexFunc(offers, func(o Offer) bool { return o.Name == name })
	if n < 0 {
		return Offer{}, false
	}
	return offers[n], true
}

func TestWhatWentOffSaleIsShownForAMonthWithTheReason(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		seller := fickle{fake.New(fake.Options{Name: "passing"}), &atomic.Value{}}
		p := providers.New(providers.Settings{Name: "vendor", Region: "there"}, seller, nil)
		if err := p.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		m := join(t, db, fake.New(fake.Options{}), &books{db: db, events: map[string]catalog.Event{}}, filepath.Join(t.TempDir(), "master.key"), "one", p)
		refresh := func() {
			t.Helper()
			if _, err := m.Refresh(t.Context(), patience); err != nil {
				t.Fatal(err)
			}
		}
		before, ok := m.stocked(t, "passing")
		if !ok || len(before.Lapsed) != 0 {
			t.Fatalf("%+v", before.Lapsed)
		}
		seller.gone.Store("async")
		refresh()
		o, _ := m.stocked(t, "passing")
		if len(o.Lapsed) != 1 || o.Lapsed[0].Name != "async" || len(o.Plans) != len(before.Plans)-1 || !strings.Contains(o.Lapsed[0].Why, "vendor does not sell it any more") || time.Since(o.Lapsed[0].Since) > time.Hour {
			t.Fatalf("%+v", o.Lapsed)
		}
		seller.gone.Store("all")
		refresh()
		if o, ok = m.stocked(t, "passing"); !ok || len(o.Plans) != 0 || len(o.Lapsed) != len(before.Plans) || o.Status != providers.Up {
			t.Fatalf("%t %+v", ok, o)
		}
		if market, err := m.Market(t.Context(), ada); err != nil || slices.ContainsFunc(market, func(o Offer) bool { return o.Name == "passing" }) {
			t.Fatal("what is off sale can be ordered", err)
		}
		if _, err := m.Calendar.Advance(t.Context(), lapsedShown+time.Hour); err != nil {
			t.Fatal(err)
		}
		if o, ok = m.stocked(t, "passing"); ok {
			t.Fatalf("it is still shown after a month: %+v", o.Lapsed)
		}
		seller.gone.Store("")
		refresh()
		if o, ok = m.stocked(t, "passing"); !ok || len(o.Lapsed) != 0 || len(o.Plans) != len(before.Plans) {
			t.Fatalf("it is back on sale: %t %+v", ok, o.Lapsed)
		}
	})
}
