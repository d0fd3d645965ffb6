package billing_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// hands is a clock that a test sets.
type hands struct {
	mu sync.Mutex
	t  time.Time
}

func (h *hands) Now() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.t }

func (h *hands) set(text string) { h.mu.Lock(); defer h.mu.Unlock(); h.t = when(text) }

func when(text string) time.Time {
	v, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		panic(err)
	}
	return v
}

// house is a ledger with all it needs, on the first of November 2026.
type house struct {
	*billing.Ledger
	*testing.T
	db      *database.DB
	clock   *hands
	market  *clock.Market
	tasks   *tasks.Engine
	account string
	config  billing.Config
}

// again is the configuration of a ledger on the same store after a restart, with a collector.
func (h *house) again(c billing.Collector) billing.Config {
	h.config.Collector = c
	return h.config
}

var (
	november = billing.Period{From: when("2026-11-01T00:00:00"), To: when("2026-12-01T00:00:00")}
	system   = identity.Principal{Kind: identity.System}
	operator = identity.Principal{Kind: identity.Person, ID: "per_o", Grants: []identity.Grant{{Role: identity.Operator}}}
	owner    = person(identity.Owner, identity.Scope{Org: "org_acme"})
	vat      = billing.Seller{Name: "Sutler Ltd", Country: "IE", Series: "SUT", Tax: []billing.Taxed{{Name: "VAT", Rate: money.MustParse("0.19")}}}
)

func person(role identity.Role, s identity.Scope) identity.Principal {
	return identity.Principal{Kind: identity.Person, ID: "per_x", Grants: []identity.Grant{{Role: role, Scope: s}}}
}

func provider(name string) identity.Principal {
	return identity.Principal{Kind: identity.Provider, ID: name, Grants: []identity.Grant{{Role: identity.RoleProvider, Provider: name}}}
}

func newHouse(t *testing.T, db *database.DB, tweak ...func(*billing.Config)) *house {
	t.Helper()
	h := &house{T: t, db: db, clock: &hands{}, market: &clock.Market{}, tasks: tasks.New(db, "n", "1", 2)}
	h.clock.set("2026-11-01T00:00:00")
	box, err := seal.New(t.Context(), db, t.TempDir()+"/master.key", true)
	h.ok(err)
	log, err := audit.New(t.Context(), db, box, h.tasks)
	h.ok(err)
	calendar, err := tasks.NewCalendar(t.Context(), db, h.tasks, h.market)
	h.ok(err)
	c := billing.Config{DB: db, Tasks: h.tasks, Calendar: calendar, Box: box, Audit: log, Clock: h.clock, Seller: vat}
	for _, f := range tweak {
		f(&c)
	}
	h.config = c
	h.Ledger, err = billing.New(t.Context(), c)
	h.ok(err)
	n := 0
	h.SetIDs(func(prefix string) string { n++; return fmt.Sprintf("%s_%04d", prefix, n) })
	h.account, err = h.OpenAccount(t.Context(), "Acme Ltd", "EUR")
	h.ok(err)
	h.ok(h.LinkOrg(t.Context(), h.account, "org_acme"))
	h.ok(h.Publish(t.Context(), offerings()))
	return h
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err, fault.Of(err).Unwrap())
	}
}

// is fails unless err has the kind.
func (h *house) is(err error, kind fault.Kind) {
	h.Helper()
	if err == nil || fault.KindOf(err) != kind {
		h.Errorf("want %s, got %v", kind, err)
	}
}

func hourly(amount string) []catalog.Rate {
	return []catalog.Rate{{Name: "base", Model: "fixed", Amount: money.MustParse(amount), Per: "month", Hours: 672}}
}

func offerings() []catalog.Offering {
	requests := []catalog.Metric{{Name: "requests", Unit: "request", Aggregation: "sum"}}
	plan := func(id string, metrics []catalog.Metric, rates []catalog.Rate) catalog.Plan {
		p := catalog.Plan{ID: id, Name: id, Metrics: metrics}
		if rates != nil {
			p.Prices = map[string][]catalog.Rate{"EUR": rates}
		}
		return p
	}
	return []catalog.Offering{
		{Name: "postgresql", Provider: "pg-west", Plans: []catalog.Plan{plan("small", nil, hourly("5.00")), plan("big", nil, hourly("20.00")), plan("free", requests, nil)}},
		{Name: "nats", Provider: "nats-east", Plans: []catalog.Plan{plan("standard", requests, []catalog.Rate{
			{Name: "base", Model: "fixed", Amount: money.MustParse("3.00"), Per: "month", Proration: "second"},
			{Name: "calls", Model: "per_unit", Metric: "requests", Unit: money.MustParse("0.01"), Included: money.MustParse("10")},
		})}},
	}
}

// sale is what was sold: an instance of a plan to acme's shop.
func (h *house) sale(instance, plan string) catalog.Snapshot {
	s := catalog.Snapshot{
		Account: h.account, Org: "org_acme", OrgName: "acme", Project: "prj_shop", ProjectName: "shop", Instance: instance, InstanceName: instance + "-name",
		Provider: "pg-west", OfferingName: "postgresql", Plan: plan, PlanName: plan,
	}
	if plan == "standard" {
		s.Provider, s.OfferingName = "nats-east", "nats"
	}
	return s
}

func used(id, instance, at, value string) catalog.Event {
	return catalog.Event{Source: "meter", ID: id, Metric: "requests", Instance: instance, Time: when(at), Value: money.MustParse(value)}
}

// autumn lives through November: two providers, a change of plan inside an hour, a suspension, usage.
func (h *house) autumn() {
	h.Helper()
	ctx := h.Context()
	h.ok(h.Start(ctx, h.sale("ins_pg", "small"), when("2026-11-02T00:00:00")))
	h.ok(h.Start(ctx, h.sale("ins_nats", "standard"), when("2026-11-05T00:00:00")))
	h.ok(h.Suspend(ctx, "ins_nats", when("2026-11-06T00:00:00")))
	h.ok(h.Resume(ctx, "ins_nats", when("2026-11-08T00:00:00")))
	h.ok(h.Change(ctx, h.sale("ins_pg", "big"), when("2026-11-10T12:20:00")))
	h.clock.set("2026-11-30T23:59:59")
	got, err := h.Ingest(ctx, provider("nats-east"), []catalog.Event{
		used("1", "ins_nats", "2026-11-05T10:00:00", "12.5"), used("2", "ins_nats", "2026-11-09T10:00:00", "8"), used("1", "ins_nats", "2026-11-05T10:00:00", "12.50"),
	})
	h.ok(err)
	if got != (billing.Accepted{Stored: 2, Duplicate: 1}) {
		h.Error(got)
	}
	e := used("ins_nats/requests/9", "ins_nats", "2026-11-30T23:59:58", "5")
	e.Source = "sutler/readings"
	h.ok(h.Record(ctx, e))
	h.ok(h.Record(ctx, e))
	h.ok(h.Stop(ctx, "ins_nats", when("2026-11-20T00:00:00")))
}

// end closes November and gives its only invoice.
func (h *house) end() billing.Invoice {
	h.Helper()
	h.clock.set("2026-12-01T00:00:00")
	next, err := h.CloseDue(h.Context(), november.To)
	h.ok(err)
	if !next.Equal(when("2027-01-01T00:00:00")) {
		h.Error("next close", next)
	}
	all, err := h.Invoices(h.Context(), operator, "")
	h.ok(err)
	if len(all) != 1 {
		h.Fatal(len(all), "invoices")
	}
	one, err := h.Invoice(h.Context(), owner, all[0].Number)
	h.ok(err)
	return one
}

// failed names the checks that did not hold.
func failed(checks []billing.Check) []string {
	var out []string
	for _, c := range checks {
		if !c.OK {
			out = append(out, c.Name)
		}
	}
	return out
}
