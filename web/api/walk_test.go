package api_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/web/client"
)

func TestFromNothingToAnInvoice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx, c := t.Context(), h.boss
		market, err := c.Market(ctx)
		h.ok(err)
		if len(market) != 1 || market[0].Status != "up" || len(market[0].Plans) < 5 {
			t.Fatalf("%+v", market)
		}
		app, err := c.CreateApp(ctx, client.NewApp{Name: "web"})
		h.ok(err)
		if app.Org != "acme" || app.Project != "default" {
			t.Fatalf("%+v", app)
		}
		made, err := c.CreateInstance(ctx, client.NewInstance{Want: "fake:sync", Name: "orders", App: "web"})
		h.ok(err)
		if !made.Fresh || made.Plan != "sync" || made.Price != "€0.007/h, at most €5/month" || made.Currency != "EUR" || made.Org != "acme" {
			t.Fatalf("%+v", made)
		}
		h.done(c, made.Operation)
		b, err := c.Bind(ctx, client.NewBinding{Instance: "orders", App: "web", Alias: "ORDERS"})
		h.ok(err)
		h.done(c, b.Operation)
		shown, err := c.Binding(ctx, b.ID)
		h.ok(err)
		if shown.State != "ready" || shown.App != "web" || shown.Name != "orders" || shown.Credentials != nil {
			t.Fatalf("%+v", shown)
		}
		opened, err := c.Credentials(ctx, b.ID)
		h.ok(err)
		vars, err := c.Variables(ctx, client.Place{}, "web")
		h.ok(err)
		if vars["ORDERS_URL"] == "" || vars["ORDERS_URL"] != opened.Credentials["uri"] || !json.Valid([]byte(vars["VCAP_SERVICES"])) {
			t.Fatalf("%v beside %v", vars, opened.Credentials)
		}
		there, err := c.Instance(ctx, client.Place{Org: "acme", Project: "default"}, "orders")
		h.ok(err)
		if there.State != "ready" || there.Project != "default" {
			t.Fatalf("%+v", there)
		}
		_, err = c.Bindings(ctx, client.Place{Org: "acme", Project: "elsewhere"}, "", "web")
		h.refused(err, "not_found")
		h.bill(made.ID)
		gone, err := c.DestroyInstance(ctx, "orders")
		h.ok(err)
		h.done(c, gone.Operation)
		_, err = c.Instance(ctx, client.Place{}, "orders")
		h.refused(err, "not_found")
	})
}

// bill reports usage, closes the month and reads the invoice.
func (h *house) bill(instance string) {
	h.Helper()
	ctx, c := h.Context(), h.boss
	key, err := c.CreateProviderKey(ctx, "fakes")
	h.ok(err)
	now, err := c.Clock(ctx)
	h.ok(err)
	e := client.Event{SpecVersion: "1.0", ID: "1", Source: "/fakes", Type: "requests", Subject: instance, Time: now.Market, Data: client.EventData{Value: "12.5"}}
	vendor := client.New(h.url, key.Secret)
	first, err := vendor.Report(ctx, []client.Event{e})
	h.ok(err)
	second, err := vendor.Report(ctx, []client.Event{e})
	h.ok(err)
	if first.Stored != 1 || second.Stored != 0 || second.Duplicate != 1 {
		h.Errorf("%+v then %+v", first, second)
	}
	_, err = c.Report(ctx, []client.Event{e})
	h.refused(err, "forbidden")
	costs, err := c.Costs(ctx, client.Place{})
	h.ok(err)
	if costs.Currency != "EUR" {
		h.Errorf("%+v", costs)
	}
	moved, err := c.AdvanceClock(ctx, "32d")
	h.ok(err)
	if moved.Ran == 0 || moved.Market.Sub(moved.Wall) < 31*24*time.Hour {
		h.Errorf("%+v", moved)
	}
	list, err := c.Invoices(ctx, "acme")
	h.ok(err)
	if len(list) == 0 || list[0].Number == "" {
		h.Fatalf("%+v", list)
	}
	invoice, err := c.Invoice(ctx, list[len(list)-1].Number)
	h.ok(err)
	if len(invoice.Lines) == 0 || invoice.Lines[0].Instance != "orders" || invoice.Hash == "" {
		h.Errorf("%+v", invoice)
	}
	verified, err := c.VerifyInvoice(ctx, invoice.Number)
	h.ok(err)
	if !verified.OK || len(verified.Checks) == 0 {
		h.Errorf("%+v", verified)
	}
}

func TestRefusalsChangeNothing(t *testing.T) {
	h := sqlite(t)
	ctx, c := t.Context(), h.boss
	_, err := c.CreateApp(ctx, client.NewApp{Name: "web"})
	h.ok(err)
	order := func(n client.NewInstance) error {
		_, err := c.CreateInstance(ctx, n)
		return err
	}
	h.refused(order(client.NewInstance{Want: "fake:sink"}), "not_found")
	h.refused(order(client.NewInstance{Want: "postgresq"}), "not_found")
	h.refused(order(client.NewInstance{Want: "fake:sync", App: "absent"}), "not_found")
	h.refused(order(client.NewInstance{Want: "fake:sync", Org: "nobody"}), "not_found")
	err = order(client.NewInstance{Want: "fake:async", Params: json.RawMessage(`{"nonsense":1}`)})
	h.refused(err, "invalid")
	if e, ok := errors.AsType[*client.Error](err); !ok || len(e.Fields) == 0 || !strings.Contains(e.Error(), "nonsense") {
		t.Errorf("no path and reason: %#v", err)
	}
	_, err = c.Bind(ctx, client.NewBinding{Instance: "absent", App: "web"})
	h.refused(err, "not_found")
	_, err = c.CreateApp(ctx, client.NewApp{Name: "web"})
	h.refused(err, "conflict")
	_, err = c.AdvanceClock(ctx, "soon")
	h.refused(err, "invalid")
	_, err = c.CreateProviderKey(ctx, "nobody")
	h.refused(err, "not_found")
	list, err := c.Instances(ctx, client.Place{})
	h.ok(err)
	if len(list) != 0 {
		t.Errorf("%+v", list)
	}
}

func TestRolesAtTheDoor(t *testing.T) {
	h := sqlite(t)
	ctx := t.Context()
	_, err := h.boss.CreateApp(ctx, client.NewApp{Name: "web"})
	h.ok(err)
	viewer, finance := h.as("eve@example.com", identity.Viewer), h.as("bill@example.com", identity.BillingRole)
	_, err = viewer.CreateInstance(ctx, client.NewInstance{Want: "fake:sync", Name: "x"})
	h.refused(err, "forbidden")
	_, err = viewer.Variables(ctx, client.Place{}, "web")
	h.refused(err, "forbidden")
	_, err = viewer.AdvanceClock(ctx, "1h")
	h.refused(err, "forbidden")
	_, err = viewer.VerifyAudit(ctx, "")
	h.refused(err, "forbidden")
	_, err = viewer.Audit(ctx, "", 10)
	h.refused(err, "forbidden")
	_, err = viewer.Platforms(ctx)
	h.refused(err, "forbidden")
	_, err = finance.Invoices(ctx, "")
	h.ok(err)
	who, err := finance.Whoami(ctx)
	h.ok(err)
	if who.Email != "bill@example.com" || len(who.Grants) != 1 || who.Grants[0].Org != "acme" {
		t.Errorf("%+v", who)
	}
}

func TestTokensAndPlatformsAreShownOnce(t *testing.T) {
	h := sqlite(t)
	ctx, c := t.Context(), h.boss
	made, err := c.CreateToken(ctx, client.NewToken{Name: "ci", Actions: []string{"instance:read"}})
	h.ok(err)
	limited := client.New(h.url, made.Secret)
	_, err = limited.Instances(ctx, client.Place{})
	h.ok(err)
	_, err = limited.CreateInstance(ctx, client.NewInstance{Want: "fake:sync"})
	if err == nil {
		t.Error("a token for reading made an instance")
	}
	listed, err := c.Tokens(ctx)
	h.ok(err)
	for _, token := range listed {
		if token.Secret != "" {
			t.Error("a secret is in the list")
		}
	}
	h.ok(c.RevokeToken(ctx, made.ID))
	_, err = limited.Whoami(ctx)
	h.refused(err, "unauthenticated")
	p, err := c.CreatePlatform(ctx, client.NewPlatform{Name: "cf-eu"})
	h.ok(err)
	if p.Password == "" || p.Org != "acme" {
		t.Errorf("%+v", p)
	}
	all, err := c.Platforms(ctx)
	h.ok(err)
	if len(all) != 1 || all[0].Password != "" {
		t.Errorf("%+v", all)
	}
	h.ok(c.DeletePlatform(ctx, "cf-eu"))
	deeds, err := c.Audit(ctx, "", 100)
	h.ok(err)
	if len(deeds) == 0 {
		t.Error("nothing is in the trail")
	}
}
