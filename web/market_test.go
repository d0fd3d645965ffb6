package web_test

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/broker/osb"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/internal/vault"
	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/web"
	"github.com/sutlerhq/sutler/web/api"
	"github.com/sutlerhq/sutler/web/pages"
)

// market is a house with every room behind the door, in which the org acme has one of everything.
type market struct {
	*house
	broker   *broker.Broker
	driver   *fake.Driver
	ledger   *billing.Ledger
	calendar *tasks.Calendar
	shop     directory.Project
	victim   map[string]string // acme's things, by what they are
	bearers  map[string]string // Authorization headers, by caller
}

func openMarket(t *testing.T) *market {
	t.Helper()
	m := &market{victim: map[string]string{}, bearers: map[string]string{}}
	m.house = furnish(t, dbtest.New(t), m.rooms)
	must(t, m.engine.Start(t.Context()))
	m.populate()
	m.callers()
	return m
}

// rooms wires broker, ledger, API, pages and OSB, as a market in dev is.
func (m *market) rooms(h *house, c *web.Config) {
	m.house = h
	ctx, log, clk := h.t.Context(), slog.New(slog.DiscardHandler), &clock.Market{}
	var err error
	m.calendar, err = tasks.NewCalendar(ctx, h.db, h.engine, clk)
	must(h.t, err)
	m.ledger, err = billing.New(ctx, billing.Config{
		DB: h.db, Tasks: h.engine, Calendar: m.calendar, Box: h.box, Audit: h.trail, Clock: clk, Currency: "EUR", Log: log,
		Seller: billing.Seller{Name: "Sutler", Country: "DE", Series: "SUT"},
	})
	must(h.t, err)
	h.directory.SetAccounts(m.ledger)
	m.driver = fake.New(fake.Options{})
	kept, err := vault.Folder(m.t.TempDir())
	must(m.t, err)
	m.broker, err = broker.New(ctx, broker.Config{
		Vault: kept,
		DB:    h.db, Tasks: h.engine, Calendar: m.calendar, Box: h.box, Audit: h.trail, Clock: clk, Currency: "EUR", Log: log,
		Providers: m.driver.Set(ctx, "fakes", "here"), Meter: m.ledger, Gate: m.ledger, Tenants: h.directory, Published: m.ledger.Publish,
		Terms: map[string][]catalog.Terms{"fakes": {{Plans: []catalog.PlanTerms{{
			Name: "sync", Rates: []catalog.Rate{{Name: "base", Model: "fixed", Amount: money.MustParse("5.00"), Per: "month", Hours: 672}},
		}, {Name: "rotatable"}}}}},
	})
	must(h.t, err)
	site, err := pages.New(pages.Deps{Broker: m.broker, Ledger: m.ledger, Directory: h.directory, Audit: h.trail, Clock: clk, Log: log})
	must(h.t, err)
	c.Pages = site
	c.API = api.New(api.Deps{
		Broker: m.broker, Ledger: m.ledger, Directory: h.directory, Audit: h.trail, Calendar: m.calendar, Clock: clk, Log: log,
	})
	c.Stopping = m.broker.StopWaiting
	c.OSB = osb.Handler(osb.Config{Broker: m.broker, Directory: h.directory, Log: log, SyncWait: 40 * time.Second})
}

// populate gives acme a project, an app, two instances with bindings, one through a platform, a platform, an invoice.
func (m *market) populate() {
	m.t.Helper()
	ctx := m.t.Context()
	var err error
	m.operator, err = m.directory.ByHuman(ctx, m.operator.ID)
	must(m.t, err)
	m.shop, err = m.directory.CreateProject(ctx, m.operator, m.org.ID, "shop")
	must(m.t, err)
	app, err := m.directory.CreateApp(ctx, m.operator, m.shop.ID, "guestbook")
	must(m.t, err)
	plt, password, err := m.directory.CreatePlatform(ctx, m.operator, "cf", m.org.ID, m.shop.ID)
	must(m.t, err)
	m.victim = map[string]string{"org": m.org.ID, "project": m.shop.ID, "app": app.ID, "platform": plt.ID, "guid": "guid-of-acme", "bguid": "bguid-of-acme"}
	m.bearers["platform"] = basic("cf", password)
	for _, n := range []string{"", "2"} {
		m.instance(n, broker.ProvisionOrder{Org: m.org.ID, Project: m.shop.ID, Name: "db" + n, Offering: "fake", Plan: "sync", AcceptsAsync: true}, app.ID)
	}
	m.instance("3", broker.ProvisionOrder{
		Org: m.org.ID, Project: m.shop.ID, Name: "db3", Offering: "fake", Plan: "sync", AcceptsAsync: true, Platform: plt.ID, PlatformInstance: "guid-of-acme",
	}, app.ID)
	shop := identity.Scope{Org: m.org.ID, Project: m.shop.ID, App: app.ID}
	consumer, _, err := m.broker.Join(ctx, identity.Principal{Kind: identity.System}, shop, "host-1")
	must(m.t, err)
	m.victim["consumer"] = consumer.ID
	m.victim["backup"], m.victim["backup2"] = m.backup(m.victim["instance"]), m.backup(m.victim["instance"])
	m.instance("4", broker.ProvisionOrder{Org: m.org.ID, Project: m.shop.ID, Name: "db4", Offering: "fake", Plan: "sync", AcceptsAsync: true}, app.ID)
	m.victim["moved"] = m.moved(m.victim["instance4"])
	_, err = m.calendar.Advance(ctx, 40*24*time.Hour)
	must(m.t, err)
	invoices, err := m.ledger.Invoices(ctx, m.operator, m.org.ID)
	must(m.t, err)
	if len(invoices) == 0 {
		m.t.Fatal("acme has no invoice")
	}
	m.victim["invoice"] = invoices[0].Number
	_, front := m.ask(http.DefaultClient, "GET", "/signin", nil)
	m.victim["asset"] = regexp.MustCompile(`/static/[^"]+\.css`).FindString(front)
}

func (m *market) instance(n string, o broker.ProvisionOrder, app string) {
	m.t.Helper()
	ctx := m.t.Context()
	i, _, err := m.broker.Provision(ctx, m.operator, o)
	must(m.t, err)
	m.finish(i.Operation.ID)
	bind := broker.BindOrder{Instance: i.ID, App: app, Alias: "DB" + n, AcceptsAsync: true}
	if o.Platform != "" {
		bind.Platform, bind.PlatformBinding = o.Platform, "bguid-of-acme"
	}
	b, _, err := m.broker.Bind(ctx, m.operator, bind)
	must(m.t, err)
	m.finish(b.Operation.ID)
	m.victim["instance"+n], m.victim["binding"+n], m.victim["operation"+n] = i.ID, b.ID, i.Operation.ID
}

// backup makes one of an instance and waits for it.
func (m *market) backup(instance string) string {
	m.t.Helper()
	bk, err := m.broker.BackUp(m.t.Context(), identity.Principal{Kind: identity.System}, instance)
	must(m.t, err)
	for late := time.Now().Add(30 * time.Second); bk.State != "ready"; {
		bk, err = m.broker.Backup(m.t.Context(), m.operator, bk.ID)
		must(m.t, err)
		if bk.State == "failed" || time.Now().After(late) {
			m.t.Fatalf("the backup is %s: %s", bk.State, bk.Note)
		}
	}
	return bk.ID
}

// moved moves an instance to another plan, and gives the new one's id.
func (m *market) moved(instance string) string {
	m.t.Helper()
	who := identity.Principal{Kind: identity.System}
	mv, _, err := m.broker.Move(m.t.Context(), who, broker.MoveOrder{Instance: instance, Provider: "fakes", Plan: "rotatable", Currency: "EUR"})
	must(m.t, err)
	for late := time.Now().Add(30 * time.Second); mv.State != "moved"; {
		mv, err = m.broker.MoveOf(m.t.Context(), who, mv.Target)
		must(m.t, err)
		if mv.State == "failed" || time.Now().After(late) {
			m.t.Fatalf("the move is %s: %s", mv.State, mv.Note)
		}
	}
	_, err = m.broker.ConfirmMove(m.t.Context(), who, mv.Target)
	must(m.t, err)
	return mv.Target
}

func (m *market) finish(operation string) {
	m.t.Helper()
	ctx, cancel := context.WithTimeout(m.t.Context(), 20*time.Second)
	defer cancel()
	o, err := m.broker.Wait(ctx, operation, 20*time.Second)
	if err != nil || o.State != "succeeded" {
		m.t.Fatal(o, err)
	}
}

// callers makes one of each role in acme, an operator who is no member, a provider, an owner of another org, and a token that may nothing.
func (m *market) callers() {
	m.t.Helper()
	ctx := m.t.Context()
	rival, err := m.directory.CreateOrg(ctx, m.operator, "rival", "", "", "EUR")
	must(m.t, err)
	for email, at := range map[string]identity.Grant{
		"owner":     {Role: identity.Owner, Scope: identity.Scope{Org: m.org.ID}},
		"admin":     {Role: identity.Admin, Scope: identity.Scope{Org: m.org.ID}},
		"billing":   {Role: identity.BillingRole, Scope: identity.Scope{Org: m.org.ID}},
		"viewer":    {Role: identity.Viewer, Scope: identity.Scope{Org: m.org.ID}},
		"developer": {Role: identity.Developer, Scope: identity.Scope{Org: m.org.ID, Project: m.shop.ID}},
		"rival":     {Role: identity.Owner, Scope: identity.Scope{Org: rival.ID}},
	} {
		who := m.operator
		if email == "rival" {
			who, err = m.directory.ByHuman(ctx, m.operator.ID)
			must(m.t, err)
		}
		member, err := m.directory.SetMember(ctx, who, email+"@example.com", at.Role, at.Scope)
		must(m.t, err)
		m.bearers[email] = m.bearerOf(member.Human.ID)
	}
	otto, err := m.directory.SetOperator(ctx, m.operator, "otto@example.com", true)
	must(m.t, err)
	m.bearers["operator"] = m.bearerOf(otto.ID)
	owner, err := m.directory.ByToken(ctx, strings.TrimPrefix(m.bearers["owner"], "Bearer "))
	must(m.t, err)
	_, limited, err := m.directory.CreateToken(ctx, owner, "limited", []identity.Action{identity.TokenManage}, time.Time{})
	must(m.t, err)
	m.bearers["limited"] = "Bearer " + limited
	t, _, err := m.directory.CreateToken(ctx, m.operator, "victim", nil, time.Time{})
	must(m.t, err)
	m.victim["token"] = t.ID
	key, err := m.directory.CreateProviderKey(ctx, m.operator, "fakes")
	must(m.t, err)
	m.bearers["provider"] = "Bearer " + key
	home, err := m.directory.Project(ctx, m.operator, rival.ID, "default")
	must(m.t, err)
	_, password, err := m.directory.CreatePlatform(ctx, m.operator, "cf-rival", rival.ID, home.ID)
	must(m.t, err)
	m.bearers["platform of rival"] = basic("cf-rival", password)
}

func (m *market) bearerOf(human string) string {
	m.t.Helper()
	who, err := m.directory.ByHuman(m.t.Context(), human)
	must(m.t, err)
	_, secret, err := m.directory.CreateToken(m.t.Context(), who, "t", nil, time.Time{})
	must(m.t, err)
	return "Bearer " + secret
}
