package broker

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/internal/vault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// books stands where the ledger stands: it writes down what it is told, once the transaction has committed.
type books struct {
	db *database.DB
	mu sync.Mutex
	no error // what Admit answers

	lines   []string
	changed time.Time // when the last change of a plan was
	events  map[string]catalog.Event
}

func (k *books) note(ctx context.Context, format string, a ...any) error {
	k.db.AfterCommit(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.lines = append(k.lines, fmt.Sprintf(format, a...))
	})
	return nil
}

func (k *books) Start(ctx context.Context, s catalog.Snapshot, _ time.Time) error {
	return k.note(ctx, "start %s %s %s", s.Account, s.InstanceName, s.PlanName)
}

func (k *books) Change(ctx context.Context, s catalog.Snapshot, at time.Time) error {
	k.db.AfterCommit(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.changed = at
	})
	return k.note(ctx, "change %s", s.InstanceName)
}

func (k *books) Suspend(ctx context.Context, i string, _ time.Time) error {
	return k.note(ctx, "suspend")
}

func (k *books) Resume(ctx context.Context, i string, _ time.Time) error {
	return k.note(ctx, "resume")
}

func (k *books) Stop(ctx context.Context, i string, _ time.Time) error { return k.note(ctx, "stop") }

func (k *books) Record(ctx context.Context, events ...catalog.Event) error {
	k.db.AfterCommit(ctx, func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		for _, e := range events {
			k.events[e.ID] = e
		}
	})
	return nil
}

func (k *books) Admit(ctx context.Context, s catalog.Snapshot) error {
	if k.no != nil {
		return k.no
	}
	return k.note(ctx, "admit %s", s.InstanceName)
}

func (k *books) all() []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]string(nil), k.lines...)
}

// used sums what was recorded of a metric.
func (k *books) used(t *testing.T, metric string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var sum money.Decimal
	for _, e := range k.events {
		if e.Metric == metric {
			var err error
			if sum, err = sum.Add(e.Value); err != nil {
				t.Fatal(err)
			}
		}
	}
	return sum.String()
}

// tenants knows two orgs, each with a project and an app.
type tenants struct{}

func (tenants) Tenancy(_ context.Context, s identity.Scope) (identity.Tenancy, error) {
	known := map[string]string{"org_a": "prj_a", "org_b": "prj_b"}
	project, ok := known[s.Org]
	if !ok || s.Project != "" && s.Project != project || s.App != "" && s.App != "app_"+s.Org[4:] {
		return identity.Tenancy{}, fault.NotFound.Errorf("There is no such tenant.")
	}
	t := identity.Tenancy{Scope: s, Account: "acc_" + s.Org[4:], OrgName: "name-" + s.Org}
	if s.Project != "" {
		t.ProjectName = "name-" + s.Project
	}
	if s.App != "" {
		t.AppName = "name-" + s.App
	}
	return t, nil
}

func person(role identity.Role, s identity.Scope) identity.Principal {
	return identity.Principal{Kind: identity.Person, ID: "per_" + string(role), Email: string(role) + "@example.com", Grants: []identity.Grant{{Role: role, Scope: s}}}
}

var (
	ada   = person(identity.Owner, identity.Scope{Org: "org_a"})
	bob   = person(identity.Owner, identity.Scope{Org: "org_b"})
	otto  = person(identity.Operator, identity.Scope{})
	eve   = person(identity.Viewer, identity.Scope{Org: "org_a"})
	shopA = identity.Scope{Org: "org_a", Project: "prj_a"}
)

// market is a broker with a fake backend on a store of its own. Its parts are kept so that a second process can stand beside the first.
type market struct {
	*Broker
	driver *fake.Driver
	books  *books
	clock  *clock.Market
	stop   func() // ends the engine, as a killed process would
	key    string
}

func newMarket(t *testing.T, db *database.DB) *market {
	t.Helper()
	return join(t, db, fake.New(fake.Options{}), &books{db: db, events: map[string]catalog.Event{}}, filepath.Join(t.TempDir(), "master.key"), "one")
}

// join starts a process of the market on a store.
func join(t *testing.T, db *database.DB, driver *fake.Driver, k *books, key, boot string, more ...*providers.Provider) *market {
	t.Helper()
	return joinWith(t, db, driver, k, key, boot, func(c *Config) {
		c.Providers = providers.NewSet(append(c.Providers.All(), more...)...)
	})
}

// joinWith starts one whose configuration is another one.
func joinWith(t *testing.T, db *database.DB, driver *fake.Driver, k *books, key, boot string, change func(*Config)) *market {
	t.Helper()
	return joinAt(t, db, "node", driver, k, key, boot, change)
}

// joinAt starts one at a node.
func joinAt(t *testing.T, db *database.DB, node string, driver *fake.Driver, k *books, key, boot string, change func(*Config)) *market {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	box, err := seal.New(ctx, db, key, true)
	ok(err)
	engine := tasks.New(db, node, boot, 8)
	trail, err := audit.New(ctx, db, box, engine)
	ok(err)
	clk := &clock.Market{}
	calendar, err := tasks.NewCalendar(ctx, db, engine, clk)
	ok(err)
	quiet := slog.New(slog.DiscardHandler)
	p := providers.New(providers.Settings{Name: "fakes", Region: "here", Driver: "fake", Failures: 1000}, driver, quiet)
	ok(p.Probe(ctx))
	kept, err := vault.Folder(filepath.Join(filepath.Dir(key), "vault"))
	ok(err)
	config := Config{
		Vault: kept, DB: db, Tasks: engine, Calendar: calendar, Box: box, Audit: trail, Clock: clk, Providers: providers.NewSet(p), Currency: "EUR",
		Meter: k, Gate: k, Tenants: tenants{}, Log: quiet,
	}
	change(&config)
	b, err := New(ctx, config)
	ok(err)
	ok(engine.Start(ctx))
	return &market{Broker: b, driver: driver, books: k, clock: clk, stop: stop, key: key}
}

// order is one for plan in the project of org a.
func order(plan, name string) ProvisionOrder {
	return ProvisionOrder{Org: "org_a", Project: "prj_a", Name: name, Offering: "fake", Plan: plan, AcceptsAsync: true}
}

// made provisions and waits until that has ended well.
func (m *market) made(t *testing.T, plan, name string) Instance {
	t.Helper()
	i, fresh, err := m.Provision(t.Context(), ada, order(plan, name))
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	m.ends(t, i.Operation.ID, succeeded)
	return m.sees(t, i.ID)
}

func (m *market) ends(t *testing.T, operation, state string) Operation {
	t.Helper()
	op, err := m.Wait(t.Context(), operation, 20*time.Second)
	if err != nil || op.State != state {
		t.Fatalf("operation %+v, %v; want %s", op, err, state)
	}
	return op
}

func (m *market) sees(t *testing.T, id string) Instance {
	t.Helper()
	i, err := m.Instance(t.Context(), ada, "", id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// becomes waits until an instance is in a state.
func (m *market) becomes(t *testing.T, id string, s State) Instance {
	t.Helper()
	changes, err := m.Watch(t.Context(), ada, "prj_a")
	if err != nil {
		t.Fatal(err)
	}
	late := time.After(20 * time.Second)
	for {
		i := m.sees(t, id)
		if i.State == s {
			return i
		}
		select {
		case <-changes:
		case <-late:
			t.Fatalf("still %s (%s), want %s", i.State, i.Note, s)
		}
	}
}

func kind(t *testing.T, err error, want fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != want {
		t.Fatalf("got %v (%s), want %s", err, fault.KindOf(err), want)
	}
}

func raw(s string) json.RawMessage { return json.RawMessage(s) }
