package broker

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// compares reconciles the whole market and gives what differs, by kind.
func (m *market) compares(t *testing.T, want ...string) map[string]Difference {
	t.Helper()
	m.firstRound(t)
	out, err := m.Reconcile(t.Context(), otto, "")
	if err != nil {
		t.Fatal(err)
	}
	kinds, by := []string{}, map[string]Difference{}
	for _, d := range out.Differences {
		kinds, by[d.Kind] = append(kinds, d.Kind), d
	}
	slices.Sort(kinds)
	if !slices.Equal(kinds, append([]string{}, want...)) {
		t.Fatalf("differences %v, want %v: %+v", kinds, want, out)
	}
	return by
}

// firstRound waits until the market's own round is over, which would find the same.
func (m *market) firstRound(t *testing.T) {
	t.Helper()
	eventually(t, "the first round has ended", func() bool {
		row, err := m.findRound(t.Context(), kindReconcile, "fakes")
		return err == nil && row.EndedAt > 0
	})
}

func (m *market) binds(t *testing.T, i Instance) Binding {
	t.Helper()
	bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID})
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, succeeded)
	return bd
}

// at is the instance as its driver is told of it.
func (m *market) at(t *testing.T, id string) providers.Instance {
	t.Helper()
	r, _, err := m.findInstance(t.Context(), "id = ?", id)
	if err != nil {
		t.Fatal(err)
	}
	return providers.Instance{ID: id, Plan: catalog.Plan{Name: r.Plan}, Params: raw(`{}`)}
}

// eventually asks again until it is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for late := time.Now().Add(30 * time.Second); !so(); {
		if time.Now().After(late) {
			t.Fatal("never: " + what)
		}
		<-time.After(10 * time.Millisecond)
	}
}

func TestReconcileShowsWhatIsMissing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.firstRound(t)
		i := m.made(t, "sync", "orders")
		m.binds(t, i)
		m.compares(t)
		if err := m.driver.Destroy(i.ID); err != nil {
			t.Fatal(err)
		}
		d := m.compares(t, Missing)[Missing]
		if d.Instance != i.ID || d.InstanceName != "orders" || d.Provider != "fakes" || !strings.Contains(d.Done, "Nothing was made anew") || d.Org != "org_a" || d.Project != "prj_a" || !strings.Contains(d.Next, "sutler destroy "+i.ID+" --confirm orders") {
			t.Fatalf("%+v", d)
		}
		if e := m.deed(t, "market.reconcile"); e.Object != "market" {
			t.Fatal("the trail says that it was done to", e.Object)
		}
		got := m.sees(t, i.ID)
		if got.State != Ready || got.Health != Degraded || got.HealthNote == "" {
			t.Fatalf("%+v", got)
		}
		if n := m.driver.Made(i.ID); n != 1 {
			t.Fatal("it was made anew", n)
		}
		if e := m.deed(t, "instance.degraded"); e.Object != "instance/"+i.ID {
			t.Fatal(e)
		}
		if list, _, err := m.Conditions(t.Context()); err != nil || len(list) != 1 || list[0] != (Condition{Provider: "fakes", Health: Degraded, Count: 1}) {
			t.Fatal(list, err)
		}
		if _, err := m.driver.Provision(t.Context(), m.at(t, i.ID)); err != nil { // somebody restored it, without its logins
			t.Fatal(err)
		}
		m.compares(t, AccessMissing)
		got = m.sees(t, i.ID)
		if got.Health != Degraded || !strings.Contains(got.HealthNote, "access") {
			t.Fatalf("%+v", got)
		}
		bd := m.bindings(t, i.ID)[0]
		if bd, err := m.Unbind(t.Context(), ada, bd.ID); err != nil {
			t.Fatal(err)
		} else {
			m.ends(t, bd.Operation.ID, succeeded)
		}
		m.compares(t)
		if got = m.sees(t, i.ID); got.Health != "" || got.HealthNote != "" {
			t.Fatalf("%+v", got)
		}
		m.deed(t, "instance.recovered")
	})
}

func (m *market) bindings(t *testing.T, instance string) []Binding {
	t.Helper()
	list, err := m.Bindings(t.Context(), ada, instance, "", "")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// A call that was frozen in flight lands after its fence: what it made is found and taken away.
func TestReconcileRemovesWhatLandedLate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.firstRound(t)
		i := m.made(t, "sync", "orders")
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		at := m.sees(t, i.ID).GoneAt
		if _, err := m.driver.Provision(t.Context(), m.at(t, i.ID)); err != nil {
			t.Fatal(err)
		}
		by := m.compares(t, Left)
		if !strings.Contains(by[Left].Done, "removal has begun") {
			t.Fatal(by)
		}
		eventually(t, "the backend is clean", func() bool {
			left, err := m.driver.Leftovers()
			return err == nil && len(left) == 0
		})
		eventually(t, "the operation has ended", func() bool {
			ops, err := m.liveOperations(t.Context(), i.ID)
			return err == nil && len(ops) == 0
		})
		m.compares(t)
		if got := m.sees(t, i.ID); got.State != Gone || !got.GoneAt.Equal(at) || got.Operation.ID != gone.Operation.ID {
			t.Fatalf("%+v", got)
		}
		if got := m.books.all(); got[len(got)-1] != "stop" {
			t.Fatal("it was charged again", got)
		}
		if e := m.deed(t, "reconcile.remove"); e.Detail["difference"] != Left || e.Who != itself.Label() {
			t.Fatal(e)
		}
	})
}

func TestReconcileTakesAwayAccessThatLandedLate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.firstRound(t)
		i := m.made(t, "sync", "orders")
		kept, bd := m.binds(t, i), m.binds(t, i)
		bd, err := m.Unbind(t.Context(), ada, bd.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		late := providers.Binding{ID: bd.ID, Seed: make([]byte, 32)}
		if _, _, err := m.driver.Bind(t.Context(), m.at(t, i.ID), late); err != nil {
			t.Fatal(err)
		}
		m.compares(t, AccessLeft)
		eventually(t, "only what is bound can log in", func() bool {
			left, err := m.driver.Leftovers()
			return err == nil && slices.Equal(left, []string{"binding " + kept.ID, "instance " + i.ID})
		})
		if got := m.sees(t, i.ID); got.Health != "" || got.State != Ready {
			t.Fatalf("%+v", got)
		}
	})
}

// What the store has never heard of may be newer than it: a restored backup must destroy nothing.
func TestReconcileLeavesAloneWhatItDoesNotKnow(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.firstRound(t)
	i := m.made(t, "sync", "orders")
	stranger := providers.Instance{ID: "ins_newer", Plan: catalog.Plan{Name: "sync"}, Params: raw(`{}`)}
	if _, err := m.driver.Provision(t.Context(), stranger); err != nil {
		t.Fatal(err)
	}
	if _, _, err := m.driver.Bind(t.Context(), m.at(t, i.ID), providers.Binding{ID: "bnd_newer", Seed: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // it is said each time
		by := m.compares(t, AccessUnknown, Unknown)
		if by[Unknown].Backend != m.driver.NameOf("ins_newer") || by[Unknown].Next == "" || by[AccessUnknown].Binding != "bnd_newer" {
			t.Fatalf("%+v", by)
		}
	}
	left, err := m.driver.Leftovers()
	if err != nil || !slices.Contains(left, "instance ins_newer") || !slices.Contains(left, "binding bnd_newer") {
		t.Fatal(left, err)
	}
}

func TestReconcileLeavesAloneWhatWasGivenUp(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.firstRound(t)
	i, _, op := m.stuckDelete(t, verbDeprovision)
	if _, err := m.PurgeOperation(t.Context(), otto, op.ID, "The vendor is bankrupt."); err != nil {
		t.Fatal(err)
	}
	m.driver.FailNext(verbDeprovision, 0, nil)
	m.compares(t, GivenUp)
	if m.driver.Calls(verbDeprovision) == 0 || m.sees(t, i.ID).State != Gone {
		t.Fatal("it was not left alone")
	}
}

func TestAProvidersFailureIsNoDifference(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.firstRound(t)
	i := m.made(t, "sync", "orders")
	m.driver.FailNext("inspect", -1, fault.ProviderFailed.Errorf("Broken."))
	out, err := m.Reconcile(t.Context(), otto, "fakes")
	if err != nil || len(out.Differences) != 0 || len(out.Skipped) != 1 || out.Skipped[0].Instance != i.ID {
		t.Fatalf("%+v %v", out, err)
	}
	if got := m.sees(t, i.ID); got.Health != "" {
		t.Fatalf("%+v", got)
	}
	_, err = m.Reconcile(t.Context(), otto, "nobody")
	kind(t, err, fault.NotFound)
	_, err = m.Reconcile(t.Context(), ada, "")
	kind(t, err, fault.Forbidden)
}

// The round goes on by itself, from where a former process left it.
func TestTheRoundGoesOnWhereItWasLeft(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		m.firstRound(t)
		first, second := m.made(t, "sync", "first"), m.made(t, "sync", "second")
		for _, i := range []Instance{first, second} {
			if err := m.driver.Destroy(i.ID); err != nil {
				t.Fatal(err)
			}
		}
		low, high := min(first.ID, second.ID), max(first.ID, second.ID)
		err := m.DB.Tx(t.Context(), func(ctx context.Context) error { // as if one had died behind low
			if err := m.saveRound(ctx, roundRow{Kind: kindReconcile, Provider: "fakes", Reached: low, BeganAt: wall()}); err != nil {
				return err
			}
			return m.Tasks.Enqueue(ctx, kindReconcile, kindReconcile+"/fakes", tour{Provider: "fakes"}, "")
		})
		if err != nil {
			t.Fatal(err)
		}
		eventually(t, "the rest was looked at", func() bool { return m.sees(t, high).Health == Degraded })
		if got := m.sees(t, low); got.Health != "" {
			t.Fatal("the round began anew", got)
		}
	})
}

// A driver that cannot look at this instance, as one that sells through somebody else, is no difference either, and changes nothing.
func TestWhatCannotBeLookedAtIsNoDifference(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	m.firstRound(t)
	i := m.made(t, "sync", "orders")
	m.driver.FailNext("inspect", -1, fault.Unprocessable.Errorf("It cannot be looked at."))
	out, err := m.Reconcile(t.Context(), otto, "fakes")
	if err != nil || len(out.Differences) != 0 || len(out.Skipped) != 1 || out.Skipped[0].Instance != i.ID {
		t.Fatalf("%+v %v", out, err)
	}
	if got := m.sees(t, i.ID); got.Health != "" || got.State != Ready {
		t.Fatalf("%+v", got)
	}
}

// secretive tells of no binding, as a backend that cannot: that is no word on any of them.
type secretive struct {
	*fake.Driver
	asked chan []string // which bindings it was told, when somebody listens
}

func (d secretive) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	in, err := d.Driver.Inspect(ctx, i)
	in.Sessions = nil
	select {
	case d.asked <- i.Bindings:
	default:
	}
	return in, err
}

func TestBindingsThatABackendDoesNotTellAreNotMissing(t *testing.T) {
	db, driver := dbtest.New(t), fake.New(fake.Options{})
	d := secretive{driver, make(chan []string, 1)}
	books := &books{db: db, events: map[string]catalog.Event{}}
	m := joinWith(t, db, driver, books, filepath.Join(t.TempDir(), "master.key"), "one", func(c *Config) {
		p := providers.New(providers.Settings{Name: "fakes", Region: "here", Driver: "fake"}, d, nil)
		if err := p.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Providers = providers.NewSet(p)
	})
	m.firstRound(t)
	i := m.made(t, "sync", "orders")
	kept, gone := m.binds(t, i), m.binds(t, i)
	bd, err := m.Unbind(t.Context(), ada, gone.ID)
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, bd.Operation.ID, succeeded)
	m.compares(t)
	if got := m.sees(t, i.ID); got.Health != "" || got.HealthNote != "" {
		t.Fatalf("%+v", got)
	}
	if told := <-d.asked; !slices.Equal(told, []string{kept.ID, gone.ID}) {
		t.Error("the driver was told of", told)
	}
	if err := driver.Destroy(i.ID); err != nil {
		t.Fatal(err)
	}
	m.compares(t, Missing) // that it can tell
}

// What a binding is called says no app where there is none.
func TestABindingIsNamedByWhatItHas(t *testing.T) {
	for want, bd := range map[string]bindingRow{"": {}, " (DATABASE)": {Alias: "DATABASE"}, " (shop as DATABASE)": {AppName: "shop", Alias: "DATABASE"}} {
		if got := bd.names(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
