package pages_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/internal/vault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/providers/latency"
	"github.com/sutlerhq/sutler/web/pages"
)

// policy is what the front door sends with every page.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// stall is a fake backend that is sold as something else.
type stall struct {
	*fake.Driver
	offering catalog.Offering
	scheme   string
}

func (s stall) Offerings(context.Context) ([]catalog.Offering, error) {
	return []catalog.Offering{s.offering}, nil
}

func (s stall) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	g, p, err := s.Driver.Bind(ctx, i, b)
	if uri, ok := g.Credentials["uri"].(string); ok {
		g.Credentials["uri"] = strings.Replace(uri, "fake://", s.scheme+"://", 1)
	}
	return g, p, err
}

func (s stall) Dashboard(providers.Instance) string { return "" }

// silent is a backend that has not answered yet.
type silent struct{ stall }

func (silent) Probe(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

// house is a market with real rooms and a browser's door to it.
type house struct {
	*testing.T
	broker    *broker.Broker
	db        *database.DB
	engine    *tasks.Engine
	directory *directory.Directory
	calendar  *tasks.Calendar
	postgres  *fake.Driver
	nats      *fake.Driver
	server    *httptest.Server
	people    map[string]string // name -> human id
	org       directory.Org
	project   directory.Project
	renamed   string // the old half of a move that nobody has confirmed
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func newHouse(t *testing.T) *house {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	h := &house{T: t, people: map[string]string{}}
	db := dbtest.New(t)
	h.db = db
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	engine := tasks.New(db, "node", "one", 4)
	h.engine = engine
	box, err := seal.New(ctx, db, t.TempDir()+"/master.key", true)
	h.ok(err)
	trail, err := audit.New(ctx, db, box, engine)
	h.ok(err)
	market := &clock.Market{}
	h.calendar, err = tasks.NewCalendar(ctx, db, engine, market)
	h.ok(err)
	h.directory = directory.New(directory.Config{DB: db, Audit: trail})
	ledger, err := billing.New(ctx, billing.Config{
		DB: db, Tasks: engine, Calendar: h.calendar, Box: box, Audit: trail, Clock: market, Log: log,
		Seller: billing.Seller{Name: "Harbour Market Ltd", Country: "IE", Series: "SUT", Tax: []billing.Taxed{{Name: "VAT", Rate: money.MustParse("0.23")}}},
	})
	h.ok(err)
	h.directory.SetAccounts(ledger)
	kept, err := vault.Folder(t.TempDir())
	h.ok(err)
	h.broker, err = broker.New(ctx, broker.Config{
		Vault: kept, WatchGrace: 26 * time.Hour,
		DB: db, Tasks: engine, Calendar: h.calendar, Box: box, Audit: trail, Clock: market, Providers: h.sellers(ctx, log), Terms: terms(), Currency: "EUR",
		Meter: ledger, Gate: ledger, Tenants: h.directory, Published: ledger.Publish, Measure: paced, Log: log,
	})
	h.ok(err)
	h.ok(engine.Start(ctx))
	h.settle(ctx)
	p, err := pages.New(pages.Deps{Broker: h.broker, Ledger: ledger, Directory: h.directory, Audit: trail, Clock: market, Log: log, Dev: true})
	h.ok(err)
	e := echo.New()
	p.Mount(e)
	h.server = httptest.NewServer(h.door(e))
	t.Cleanup(h.server.CloseClientConnections)
	return h
}

func (h *house) sellers(ctx context.Context, log *slog.Logger) *providers.Set {
	h.postgres, h.nats = fake.New(fake.Options{Name: "postgresql", Address: "pg.harbour.example:5432"}), fake.New(fake.Options{Name: "nats", Address: "nats.quay.example:4222"})
	pg := providers.New(providers.Settings{Name: "harbour", Region: "eu-central"}, stall{h.postgres, offering("postgresql", "dev", "small", "large"), "postgres"}, log)
	bus := providers.New(providers.Settings{Name: "quay", Region: "eu-west"}, stall{h.nats, offering("nats", "standard"), "nats"}, log)
	west := providers.New(providers.Settings{Name: "lighthouse", Region: "us-east"}, stall{fake.New(fake.Options{Name: "pg-east"}), offering("postgresql", "standard"), "postgres"}, log)
	cache := providers.New(providers.Settings{Name: "depot", Region: "eu-central"}, silent{stall{fake.New(fake.Options{Name: "redis"}), offering("redis", "small"), "redis"}}, log)
	for _, p := range []*providers.Provider{pg, bus, west} {
		h.ok(p.Probe(ctx))
	}
	return providers.NewSet(pg, bus, west, cache)
}

func offering(kind catalog.Kind, plans ...string) catalog.Offering {
	o := catalog.Offering{Name: string(kind), Kind: kind, Bindable: true, Updatable: true}
	limits := map[string]catalog.Limits{
		"dev": {"storage_bytes": 512 << 20, "connections": 5}, "small": {"storage_bytes": 10 << 30, "connections": 40}, "large": {"storage_bytes": 200 << 30, "connections": 400},
		"standard": {"storage_bytes": 5 << 30, "connections": 100},
	}
	for _, name := range plans {
		p := catalog.Plan{Name: name, DisplayName: name, Bindable: true, Updatable: true, Rotatable: true, Limits: limits[name], Metrics: []catalog.Metric{{Name: fake.Metric, Unit: "request", Aggregation: "sum", Kind: "delta"}}}
		if name == "small" {
			p.Schemas.Create = []byte(`{"type":"object","additionalProperties":false,"properties":{"size":{"type":"integer","minimum":1,"maximum":10,"title":"Size","description":"How much is set aside at the start."},"encoding":{"enum":["UTF8","LATIN1"],"default":"UTF8","title":"Encoding"}}}`)
		}
		o.Plans = append(o.Plans, p)
	}
	return o
}

func terms() map[string][]catalog.Terms {
	hourly := func(amount string) []catalog.Rate {
		return []catalog.Rate{{Name: "base", Model: "fixed", Amount: money.MustParse(amount), Per: "month", Hours: 672}}
	}
	metered := catalog.Rate{Name: "requests", Model: "per_unit", Metric: fake.Metric, Unit: money.MustParse("0.00002"), Included: money.MustParse("100000")}
	return map[string][]catalog.Terms{
		"harbour": {{
			Title: "PostgreSQL", Description: "A database of your own on a managed PostgreSQL 15, backed up daily.", Tags: []string{"sql", "backup"}, Docs: "https://www.postgresql.org/docs/15/",
			Plans: []catalog.PlanTerms{{Name: "dev", Description: "To try things out."}, {Name: "small", Description: "For one app in production.", Rates: hourly("5")}, {Name: "large", Description: "For many apps and much data.", Rates: hourly("48")}},
		}},
		"quay": {{
			Title: "NATS", Description: "Subjects, streams and key-value in an account of your own.", Tags: []string{"messaging", "queue"},
			Plans: []catalog.PlanTerms{{Name: "standard", Rates: append(hourly("3"), metered)}},
		}},
		"lighthouse": {{Name: "pg-east", Title: "PostgreSQL", Description: "PostgreSQL across the ocean, for apps that live there.", Tags: []string{"sql"}, Plans: []catalog.PlanTerms{{Name: "standard", Rates: hourly("4.90")}}}},
		"depot":      {{Title: "Redis", Description: "One Redis 7 per instance, memory capped, persistence by plan.", Tags: []string{"cache"}, Plans: []catalog.PlanTerms{{Name: "small", Rates: hourly("2.50")}}}},
	}
}

// settle lets people, an org, a project and an app in.
func (h *house) settle(ctx context.Context) {
	otto, err := h.directory.Bootstrap(ctx, "otto@example.com", "Otto Harbourmaster", "correct horse battery")
	h.ok(err)
	h.people["otto"] = otto.ID
	market := identity.Principal{Kind: identity.System} // who makes an org would become its owner
	h.org, err = h.directory.CreateOrg(ctx, market, "acme", "Acme Ltd", "", "EUR")
	h.ok(err)
	_, err = h.directory.CreateOrg(ctx, market, "rival", "Rival Inc", "", "EUR")
	h.ok(err)
	for name, role := range map[string]identity.Role{"ada": identity.Owner, "vera": identity.Viewer, "bill": identity.BillingRole} {
		m, err := h.directory.SetMember(ctx, market, name+"@example.com", role, identity.Scope{Org: h.org.ID})
		h.ok(err)
		h.people[name] = m.Human.ID
	}
	h.project, err = h.directory.CreateProject(ctx, h.as("ada"), h.org.ID, "shop")
	h.ok(err)
	for _, app := range []string{"shop-web", "reports"} {
		_, err = h.directory.CreateApp(ctx, h.as("ada"), h.project.ID, app)
		h.ok(err)
	}
}

// paced measures backends that are not there: harbour is near, quay is far, and the others do not answer.
func paced(_ context.Context, t latency.Target, _ int) ([]time.Duration, error) {
	switch t.Address {
	case "pg.harbour.example:5432":
		return []time.Duration{840 * time.Microsecond, 790 * time.Microsecond, 1420 * time.Microsecond}, nil
	case "nats.quay.example:4222":
		return []time.Duration{14_200 * time.Microsecond, 19 * time.Millisecond, 14_100 * time.Microsecond}, nil
	}
	return nil, errors.New("connection refused")
}

// as is a person with the roles they have now.
func (h *house) as(name string) identity.Principal {
	h.Helper()
	p, err := h.directory.ByHuman(context.Background(), h.people[name])
	h.ok(err)
	return p
}

// door stands where the front door stands: it knows people by a cookie that holds their name.
func (h *house) door(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		if c, err := r.Cookie("name"); err == nil && h.people[c.Value] != "" {
			r = r.WithContext(identity.With(r.Context(), h.as(c.Value)))
		}
		next.ServeHTTP(w, r)
	})
}

// ready makes an instance and waits until it is.
func (h *house) ready(offering, plan, name string) broker.Instance {
	h.Helper()
	i, _, err := h.broker.Provision(h.Context(), h.as("ada"), broker.ProvisionOrder{Org: h.org.ID, Project: h.project.ID, Name: name, Offering: offering, Plan: plan, AcceptsAsync: true})
	h.ok(err)
	op, err := h.broker.Wait(h.Context(), i.Operation.ID, 20*time.Second)
	h.ok(err)
	if op.State != "succeeded" {
		h.Fatalf("%s: %+v", name, op)
	}
	return i
}

// bound gives an app access and waits until it has it.
func (h *house) bound(i broker.Instance, app string) broker.Binding {
	h.Helper()
	a, err := h.directory.App(h.Context(), h.as("ada"), h.project.ID, app)
	h.ok(err)
	b, _, err := h.broker.Bind(h.Context(), h.as("ada"), broker.BindOrder{Instance: i.ID, App: a.ID, AcceptsAsync: true})
	h.ok(err)
	_, err = h.broker.Wait(h.Context(), b.Operation.ID, 20*time.Second)
	h.ok(err)
	return b
}

// advance moves the market on; what is due on the way, the month's close among it, is done.
func (h *house) advance(d time.Duration) {
	h.Helper()
	_, err := h.calendar.Advance(h.Context(), d)
	h.ok(err)
}

// screenshots is the folder for pictures of every page; empty: none are made.
func screenshots() string { return os.Getenv("SUTLER_SCREENSHOTS") }

func (h *house) scope() identity.Scope { return identity.Scope{Org: h.org.ID, Project: h.project.ID} }

// furnish puts a month of life into the market: instances, bindings, an invoice, one instance that is being made and one that failed.
func (h *house) furnish() {
	h.Helper()
	orders, events := h.ready("postgresql", "small", "orders-db"), h.ready("nats", "standard", "events")
	h.bound(orders, "shop-web")
	h.bound(events, "shop-web")
	h.ok(h.nats.Use(events.ID, 1_204_331))
	h.ok(h.postgres.Use(orders.ID, 88_210))
	h.advance(31 * 24 * time.Hour)
	h.ok(h.nats.Use(events.ID, 633_187))
	h.ok(h.postgres.Use(orders.ID, 41_977))
	h.advance(11 * time.Hour)
	h.ready("postgresql", "dev", "staging-db")
	h.nats.FailNext("provision", 1, fault.Refused.Errorf("The account quota of quay is used up."))
	h.failed("nats", "standard", "sessions")
	h.worry()
	hold := h.postgres.Hang("provision")
	h.Cleanup(hold.Release)
	_, _, err := h.broker.Provision(h.Context(), h.as("ada"), broker.ProvisionOrder{Org: h.org.ID, Project: h.project.ID, Name: "billing-db", Offering: "postgresql", Plan: "large", AcceptsAsync: true})
	h.ok(err)
	_, _, err = h.directory.CreatePlatform(h.Context(), h.as("otto"), "cf-eu", h.org.ID, h.project.ID)
	h.ok(err)
	_, _, err = h.directory.CreateToken(h.Context(), h.as("ada"), "laptop", nil, time.Time{})
	h.ok(err)
}

// failed makes an instance that cannot be made.
func (h *house) failed(offering, plan, name string) {
	h.Helper()
	i, _, err := h.broker.Provision(h.Context(), h.as("ada"), broker.ProvisionOrder{Org: h.org.ID, Project: h.project.ID, Name: name, Offering: offering, Plan: plan, AcceptsAsync: true})
	h.ok(err)
	_, err = h.broker.Wait(h.Context(), i.Operation.ID, 20*time.Second)
	h.ok(err)
}
