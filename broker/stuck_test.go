package broker

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestADeleteThatCannotSucceedSaysSoAndIsTriedAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID})
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		m.driver.FailNext("unbind", -1, fault.Refused.Errorf("Not today."))
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		op := m.ends(t, gone.Operation.ID, failed)
		if !strings.Contains(op.Note, "Not today.") || m.sees(t, i.ID).State != Deleting {
			t.Fatalf("%+v", op)
		}
		stuck, err := m.Operations(t.Context(), otto, true)
		if err != nil || len(stuck) != 2 {
			t.Fatal(stuck, err)
		}
		m.driver.FailNext("unbind", 0, nil)
		again, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil || again.Operation.ID != op.ID {
			t.Fatal(again.Operation, err)
		}
		m.becomes(t, i.ID, Gone)
		m.ends(t, op.ID, succeeded)
		m.leavesNothing(t, i.ID)
	})
}

func TestAPlanThatIsFullTakesNoMore(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.Terms = map[string][]catalog.Terms{"fakes": {{Offering: "fake", Plans: []catalog.PlanTerms{{Name: "few", From: "sync", Capacity: 2}}}}}
		if _, err := m.Refresh(t.Context(), patience); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		errs := make([]error, 6)
		for n := range errs {
			wg.Go(func() { _, _, errs[n] = m.Provision(t.Context(), ada, order("few", "")) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				kind(t, err, fault.Refused)
			}
		}
		if won != 2 {
			t.Fatal("took", won)
		}
		if _, err := m.Choose(t.Context(), ada, catalog.Need{Want: "fake"}); fault.KindOf(err) != fault.Refused {
			t.Fatal(err)
		}
	})
}

func TestACatalogThatChangedIsPublishedOnce(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "sync", "old")
	var published [][]catalog.Offering
	m.Published = func(_ context.Context, list []catalog.Offering) error {
		published = append(published, list)
		return nil
	}
	m.Terms = map[string][]catalog.Terms{"fakes": {{Offering: "fake", Plans: []catalog.PlanTerms{{Name: "async"}}}}}
	for range 3 {
		if _, err := m.Refresh(t.Context(), patience); err != nil {
			t.Fatal(err)
		}
	}
	if len(published) != 1 || len(published[0][0].Plans) != 1 {
		t.Fatal(published)
	}
	_, _, err := m.Provision(t.Context(), ada, order("sync", "new"))
	kind(t, err, fault.NotFound)
	gone, err := m.Deprovision(t.Context(), ada, i.ID) // of a plan that is no longer sold
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, gone.Operation.ID, succeeded)
}

func TestWhoMayBuyWhat(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.Terms = map[string][]catalog.Terms{"fakes": {{Offering: "fake", Plans: []catalog.PlanTerms{
		{Name: "sync"}, {Name: "async", Visibility: catalog.Visibility{Orgs: []string{"name-org_b"}}},
	}}}}
	if _, err := m.Refresh(t.Context(), patience); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		who   identity.Principal
		plans int
	}{{ada, 1}, {bob, 2}, {otto, 2}} {
		offers, err := m.Market(t.Context(), c.who)
		if err != nil || len(offers) != 1 || len(offers[0].Plans) != c.plans {
			t.Errorf("%s: %v %v", c.who.Label(), offers, err)
		}
	}
	_, _, err := m.Provision(t.Context(), ada, order("async", ""))
	kind(t, err, fault.NotFound)
}

// Requests of every sort on one instance at once: each is answered lawfully, none waits for another for ever, and the delete wins.
func TestManyAtOnceOnOneInstance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				for range 5 {
					bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID})
					if err == nil {
						_, err = m.Unbind(t.Context(), ada, bd.ID)
					}
					if k := fault.KindOf(err); err != nil && k != fault.Busy && k != fault.Gone {
						t.Errorf("%v (%s)", err, k)
					}
				}
			})
		}
		wg.Wait()
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		m.leavesNothing(t, i.ID)
	})
}
