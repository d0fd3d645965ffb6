package broker

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// One instance's backend is looked at as the instance is destroyed: that it is not there any more is no difference.
func TestWhatEndsWhileItIsComparedIsNoDifference(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.firstRound(t)
		i := m.made(t, "sync", "orders")
		hold := m.driver.Hang("inspect")
		got := make(chan Reconciliation, 1)
		go func() {
			out, err := m.Reconcile(context.WithoutCancel(t.Context()), otto, "fakes")
			if err != nil {
				t.Error(err)
			}
			got <- out
		}()
		<-hold.Entered
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		hold.Release()
		if out := <-got; len(out.Differences) != 0 {
			t.Fatalf("%+v", out)
		}
		if i := m.sees(t, i.ID); i.State != Gone || i.Health != "" {
			t.Fatalf("%+v", i)
		}
	})
}

// Two processes find the same at once: its removal is begun once.
func TestTwoThatReconcileAtOnceBeginOneRemoval(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.firstRound(t)
		i := m.made(t, "sync", "orders")
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		if _, err := m.driver.Provision(t.Context(), m.at(t, i.ID)); err != nil {
			t.Fatal(err)
		}
		second := join(t, db, m.driver, m.books, m.key, "two")
		var both sync.WaitGroup
		for _, p := range []*market{m, second} {
			both.Go(func() {
				if _, err := p.Reconcile(t.Context(), otto, "fakes"); err != nil {
					t.Error(err)
				}
			})
		}
		both.Wait()
		eventually(t, "the backend is clean", func() bool {
			left, err := m.driver.Leftovers()
			return err == nil && len(left) == 0
		})
		var begun int64
		if err := db.From(t.Context()).Raw(`SELECT count(*) FROM operations WHERE instance = ? AND verb = 'deprovision'`, i.ID).Scan(&begun).Error; err != nil || begun != 2 {
			t.Fatalf("%d removals with the first one, want 2 (%v)", begun, err)
		}
	})
}

// One provider goes away while it is compared: what was not looked at is named, nothing is called missing, and the other providers are compared.
func TestAProviderThatGoesAwayIsSkippedAlone(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		p := newPair(t, db)
		p.firstRound(t)
		var here []Instance
		for n := range abreast + 1 { // the last one is looked at when the first ones have been
			here = append(here, p.made(t, "sync", fmt.Sprintf("orders-%d", n)))
		}
		o := order("sync", "stock")
		o.Offering = "other"
		there, _, err := p.Provision(t.Context(), ada, o)
		if err != nil {
			t.Fatal(err)
		}
		p.ends(t, there.Operation.ID, succeeded)
		if err := p.there.Destroy(there.ID); err != nil {
			t.Fatal(err)
		}
		hold := p.driver.Hang("inspect")
		got := make(chan Reconciliation, 1)
		go func() {
			out, err := p.Reconcile(context.WithoutCancel(t.Context()), otto, "")
			if err != nil {
				t.Error(err)
			}
			got <- out
		}()
		<-hold.Entered
		away := fault.Unavailable.Errorf("It does not answer.")
		p.driver.FailNext("inspect", -1, away)
		p.driver.FailNext("probe", -1, away)
		mine, _ := p.Providers.Get("fakes")
		_ = mine.Probe(t.Context())
		hold.Release()
		out := <-got
		if len(out.Differences) != 1 || out.Differences[0].Instance != there.ID || out.Differences[0].Kind != Missing {
			t.Errorf("%+v", out.Differences)
		}
		if !slices.ContainsFunc(out.Skipped, func(s Skip) bool { return s.Provider == "fakes" }) {
			t.Errorf("it is not said that not all were compared: %+v", out.Skipped)
		}
		for _, i := range here {
			if i = p.sees(t, i.ID); i.Health != "" {
				t.Errorf("%+v", i)
			}
		}
	})
}

// plain is a driver that can be asked about what it is told of, and cannot list.
type plain struct{ providers.Driver }

func (d plain) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	return d.Driver.(*fake.Driver).Inspect(ctx, i)
}

func TestItIsSaidOfADriverThatItCannotList(t *testing.T) {
	db := dbtest.New(t)
	d := fake.New(fake.Options{})
	m := joinWith(t, db, d, &books{db: db, events: map[string]catalog.Event{}}, t.TempDir()+"/master.key", "one", func(c *Config) {
		c.Providers = providers.NewSet(providers.New(providers.Settings{Name: "fakes", Region: "here", Driver: "fake"}, plain{d}, slog.New(slog.DiscardHandler)))
	})
	m.made(t, "sync", "orders")
	stranger := providers.Instance{ID: "ins_newer", Plan: catalog.Plan{Name: "sync"}, Params: raw(`{}`)}
	if _, err := d.Provision(t.Context(), stranger); err != nil {
		t.Fatal(err)
	}
	out, err := m.Reconcile(t.Context(), otto, "")
	if err != nil || len(out.Differences) != 0 || out.Checked != 1 || len(out.Skipped) != 1 || !strings.Contains(out.Skipped[0].Why, "no way to list") {
		t.Fatalf("%+v %v", out, err)
	}
}
