package api_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
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
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/web/api"
	"github.com/sutlerhq/sutler/web/client"
)

// house is a whole market behind the API: the real rooms on a store of its own, with a fake backend.
type house struct {
	*testing.T
	directory *directory.Directory
	driver    *fake.Driver
	url       string
	boss      *client.Client // operator and owner of acme
	owner     identity.Principal
}

func newHouse(t *testing.T, db *database.DB) *house {
	t.Helper()
	h := &house{T: t, driver: fake.New(fake.Options{})}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	box, err := seal.New(ctx, db, t.TempDir()+"/master.key", true)
	h.ok(err)
	engine := tasks.New(db, "node", "one", 8)
	trail, err := audit.New(ctx, db, box, engine)
	h.ok(err)
	market := &clock.Market{}
	calendar, err := tasks.NewCalendar(ctx, db, engine, market)
	h.ok(err)
	quiet := slog.New(slog.DiscardHandler)
	ledger, err := billing.New(ctx, billing.Config{
		DB: db, Tasks: engine, Calendar: calendar, Box: box, Audit: trail, Clock: market, Log: quiet,
		Seller: billing.Seller{Name: "Sutler Test", Series: "T"},
	})
	h.ok(err)
	h.directory = directory.New(directory.Config{DB: db, Audit: trail, Accounts: ledger})
	p := providers.New(providers.Settings{Name: "fakes", Region: "here", Driver: "fake", Failures: 1000}, h.driver, quiet)
	h.ok(p.Probe(ctx))
	b, err := broker.New(ctx, broker.Config{
		DB: db, Tasks: engine, Calendar: calendar, Box: box, Audit: trail, Clock: market, Providers: providers.NewSet(p), Currency: "EUR",
		Terms: map[string][]catalog.Terms{"fakes": {terms()}}, Meter: ledger, Gate: ledger, Tenants: h.directory, Published: ledger.Publish, Log: quiet,
	})
	h.ok(err)
	h.ok(engine.Start(ctx))
	h.serve(api.New(api.Deps{Broker: b, Ledger: ledger, Directory: h.directory, Audit: trail, Calendar: calendar, Clock: market, Log: quiet}))
	h.people(ctx)
	return h
}

// terms put a price on the fake's plan "sync" and leave the others free.
func terms() catalog.Terms {
	sync := catalog.PlanTerms{Name: "sync", Rates: []catalog.Rate{{Name: "base", Model: "fixed", Amount: money.MustParse("5.00"), Per: "month", Hours: 672}}}
	return catalog.Terms{Offering: "fake", Plans: []catalog.PlanTerms{sync, {Name: "async"}, {Name: "slow"}, {Name: "failing"}, {Name: "unbindable"}}}
}

// serve stands in for web: it answers who a bearer token belongs to, and no more.
func (h *house) serve(door *api.API) {
	e := echo.New()
	door.Mount(e)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if secret, found := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); found {
			who, err := h.directory.ByToken(r.Context(), secret)
			if err != nil {
				http.Error(w, `{"code":"unauthenticated","detail":"no such token"}`, http.StatusUnauthorized)
				return
			}
			r = r.WithContext(identity.With(r.Context(), who))
		}
		e.ServeHTTP(w, r)
	}))
	h.Cleanup(s.Close)
	h.url = s.URL
}

func (h *house) people(ctx context.Context) {
	boss, err := h.directory.Bootstrap(ctx, "boss@example.com", "Boss", "a password that is long")
	h.ok(err)
	h.owner, err = h.directory.ByHuman(ctx, boss.ID)
	h.ok(err)
	_, err = h.directory.CreateOrg(ctx, h.owner, "acme", "Acme Ltd", "", "EUR")
	h.ok(err)
	h.owner, err = h.directory.ByHuman(ctx, boss.ID)
	h.ok(err)
	_, secret, err := h.directory.CreateToken(ctx, h.owner, "test", nil, time.Time{})
	h.ok(err)
	h.boss = client.New(h.url, secret)
}

// as gives a client of a new person with a role in acme.
func (h *house) as(email string, role identity.Role) *client.Client {
	h.Helper()
	_, err := h.boss.SetMember(h.Context(), client.NewMember{Email: email, Role: string(role), Org: "acme"})
	h.ok(err)
	members, err := h.boss.Members(h.Context(), "acme")
	h.ok(err)
	for _, m := range members {
		if m.Email == email && m.Role != string(role) {
			h.Fatalf("%+v", m)
		}
	}
	org, err := h.directory.Org(h.Context(), h.owner, "acme")
	h.ok(err)
	people, err := h.directory.Members(h.Context(), h.owner, org.ID)
	h.ok(err)
	for _, m := range people {
		if m.Human.Email == email {
			who, err := h.directory.ByHuman(h.Context(), m.Human.ID)
			h.ok(err)
			_, secret, err := h.directory.CreateToken(h.Context(), who, "test", nil, time.Time{})
			h.ok(err)
			return client.New(h.url, secret)
		}
	}
	h.Fatal("nobody is " + email)
	return nil
}

func (h *house) ok(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// done waits for an operation's good end.
func (h *house) done(c *client.Client, operation string) {
	h.Helper()
	op, err := c.Operation(h.Context(), operation, 20*time.Second)
	h.ok(err)
	if op.State != "succeeded" || op.EndedAt == nil {
		h.Fatalf("%+v", op)
	}
}

// refused fails unless err is a refusal of that kind.
func (h *house) refused(err error, code string) {
	h.Helper()
	e, ok := errors.AsType[*client.Error](err)
	if !ok || e.Code != code || e.Detail == "" {
		h.Errorf("got %#v, want a refusal %q", err, code)
	}
}

func sqlite(t *testing.T) *house { return newHouse(t, dbtest.New(t)) }
