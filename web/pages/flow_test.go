package pages_test

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// TestMainFlowInABrowser goes the main way: find, buy, watch it become ready, bind, reveal, run, pay, verify, destroy.
func TestMainFlowInABrowser(t *testing.T) {
	h := newHouse(t)
	b := newBrowser(t, h.server.URL)
	b.as("ada")
	b.open("/o/acme/shop/marketplace")
	b.says(".card", "PostgreSQL")
	b.press("/")
	b.until(`document.activeElement.name === "q"`)
	b.press("posgtres")
	b.loads(chromedp.KeyEvent("\r"))
	b.says(".clear", "Show everything")
	b.until(`document.querySelectorAll(".card").length === 2`)
	b.click(`.card[href$="/marketplace/postgresql"]`)
	b.says("h1", "PostgreSQL")
	b.click(`a[href$="/new?plan=small"]`)
	b.buy(h)
	b.bindAndReveal()
	b.runAndPay(h)
	b.destroy()
	b.clean("status of 400")
}

// buy fills the form in, wrong at first, and watches the instance become ready.
func (b *browser) buy(h *house) {
	b.Helper()
	b.fill("#f-name", "orders-db")
	b.loads(chromedp.Click(chromedp.CSS(`input[name=plan][value=large]`)))
	b.says(".quote", "€48")
	b.loads(chromedp.Click(chromedp.CSS(`input[name=plan][value=small]`)))
	b.says(".quote", "€5")
	b.until(`document.querySelector("#f-name").value === "orders-db"`)
	b.eval(`document.querySelector("form.two").noValidate = true`)
	b.fill(`[name="p.size"]`, "99")
	b.click(`form.two button.main`)
	b.says(".field.wrong .error", "")
	b.until(`document.querySelector("[name='p.size']").value === "99"`)
	b.fill(`[name="p.size"]`, "4")
	hold := h.postgres.Hang("provision")
	b.click(`form.two button.main`)
	b.says(".notice", "being created")
	b.says("#live-head .chip", "creating")
	b.eval(`window.before = "here"`)
	hold.Release()
	b.says("#live-head .chip", "ready")
	b.until(`window.before === "here"`) // live: the page was not loaded again
	b.says("#live-steps", "Ready after")
}

func (b *browser) bindAndReveal() {
	b.Helper()
	b.until(`!document.querySelector("#live-bind button").disabled`)
	b.fill("#f-app", "shop-web")
	b.click("#live-bind button")
	b.says("#live-bindings", "DATABASE")
	b.says("#live-bindings .chip", "ready")
	b.says("#live-credentials", "DATABASE_PASSWORD")
	b.click("#live-credentials form button")
	b.says("#live-credentials .value", "postgres://")
	b.copies("#live-credentials .btn[data-copy]", "DATABASE_URL='postgres://")
	b.says("#live-credentials", "audit trail")
	b.open("/o/acme/shop/instances/orders-db")
	b.says("#live-credentials .masked", "•")
}

func (b *browser) runAndPay(h *house) {
	b.Helper()
	b.open("/o/acme/shop/apps/shop-web")
	b.says(".cmd", "sutler run --app shop-web -- ./server")
	b.click("#env form button")
	b.says(".vars .value", "postgres://")
	b.says(".vars", "VCAP_SERVICES")
	b.copies("#env .btn[data-copy]", "DATABASE_PASSWORD='")
	h.advance(40 * 24 * time.Hour)
	b.open("/o/acme/shop/usage")
	b.says(".lines", "orders-db")
	b.open("/billing/acme/invoices")
	b.click("table a")
	b.says(".invoice", "Harbour Market Ltd")
	b.click(".head form button")
	b.says(".tag", "verified")
	b.says(".checks", "agrees")
	b.open("/account")
	b.fill("#f-name", "laptop")
	b.click(`form[action="/account/tokens"] button`)
	b.says(".once code", "sut_")
}

func (b *browser) destroy() {
	b.Helper()
	b.open("/o/acme/shop/instances/orders-db")
	b.fill("#f-confirm", "orders")
	b.click("#danger button")
	b.says("#danger .error", "Nothing was destroyed")
	b.fill("#f-confirm", "orders-db")
	b.click("#danger button")
	b.says(".notice", "being destroyed")
	b.says("#live-list", "No backend yet")
}

// TestLiveStreamSaysWhenItBreaks cuts the stream and looks for the mark.
func TestLiveStreamSaysWhenItBreaks(t *testing.T) {
	h := newHouse(t)
	h.ready("nats", "standard", "events")
	b := newBrowser(t, h.server.URL)
	b.as("ada")
	b.open("/o/acme/shop/instances/events")
	b.until(`document.querySelector("[data-live-mark]").checkVisibility()`)
	call(b, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: true, DownloadThroughput: -1, UploadThroughput: -1})
	h.server.CloseClientConnections()
	b.until(`document.querySelector("#stale").checkVisibility()`)
	call(b, network.OverrideNetworkState, network.OverrideNetworkStateParams{DownloadThroughput: -1, UploadThroughput: -1})
	b.until(`!document.querySelector("#stale").checkVisibility()`)
}

// TestEveryPageInABrowser opens every page with data on it: nothing breaks the policy, nothing is too wide, and pictures are taken.
func TestEveryPageInABrowser(t *testing.T) {
	h := newHouse(t)
	h.furnish()
	b := newBrowser(t, h.server.URL)
	for _, visit := range []struct{ as, name, path, press string }{
		{"nobody", "signin", "/signin", ""},
		{"ada", "marketplace", "/o/acme/shop/marketplace", ""},
		{"ada", "marketplace-search", "/o/acme/shop/marketplace?q=posgres&region=eu-central", ""},
		{"ada", "marketplace-nothing", "/o/acme/shop/marketplace?q=elephant", ""},
		{"ada", "offering", "/o/acme/shop/marketplace/postgresql", ""},
		{"ada", "offering-starting", "/o/acme/shop/marketplace/redis", ""},
		{"ada", "provision", "/o/acme/shop/marketplace/postgresql/new?plan=small&app=shop-web&p.size=4", ""},
		{"ada", "provision-wrong", "/o/acme/shop/marketplace/postgresql/new?plan=dev&name=orders-db", "form.two button.main"},
		{"ada", "instances", "/o/acme/shop/instances", ""},
		{"ada", "instances-empty", "/o/acme/default/instances", ""},
		{"ada", "instance", "/o/acme/shop/instances/orders-db", ""},
		{"ada", "instance-creating", "/o/acme/shop/instances/billing-db", ""},
		{"ada", "instance-worried", "/o/acme/shop/instances/" + long, ""},
		{"ada", "instance-lost", "/o/acme/shop/instances/analytics", ""},
		{"ada", "instance-suspended", "/o/acme/shop/instances/campaign-bus", ""},
		{"ada", "instance-moved", "/o/acme/shop/instances/ledger-db", ""},
		{"ada", "instance-moving", "/o/acme/shop/instances/catalog-db", ""},
		{"ada", "instance-replaced", "/o/acme/shop/instances/" + h.renamed, ""},
		{"ada", "backups", "/o/acme/shop/backups", ""},
		{"ada", "backups-empty", "/o/acme/default/backups", ""},
		{"ada", "backup", "/o/acme/shop/backups?instance=" + long, "table.rows a"},
		{"ada", "marketplace-kind", "/o/acme/shop/marketplace?kind=postgresql", ""},
		{"ada", "offering-cordoned", "/o/acme/shop/marketplace/pg-east", ""},
		{"ada", "instance-revealed", "/o/acme/shop/instances/orders-db", "#live-credentials form button"},
		{"ada", "apps", "/o/acme/shop/apps", ""},
		{"ada", "app", "/o/acme/shop/apps/shop-web", ""},
		{"ada", "app-revealed", "/o/acme/shop/apps/shop-web", "#env form button"},
		{"ada", "usage", "/o/acme/shop/usage", ""},
		{"ada", "usage-empty", "/o/acme/default/usage", ""},
		{"ada", "invoices", "/billing/acme/invoices", ""},
		{"ada", "invoice-verified", "/billing/acme/invoices", "table a"},
		{"ada", "invoice-preview", "/billing/acme/invoices/preview", ""},
		{"ada", "account", "/account", ""},
		{"ada", "not-found", "/o/acme/shop/instances/nothing", ""},
		{"vera", "forbidden", "/billing/acme/invoices", ""},
		{"otto", "providers", "/operator/providers", ""},
		{"otto", "platforms", "/operator/platforms", ""},
		{"otto", "work", "/operator/work", ""},
		{"otto", "audit", "/operator/audit", ""},
	} {
		t.Run(visit.name, func(t *testing.T) {
			b.T = t
			b.as(visit.as)
			b.open(visit.path)
			if visit.press != "" {
				b.click(visit.press)
			}
			if visit.name == "invoice-verified" {
				b.click(".head form button")
			}
			if visit.name == "audit" {
				b.keepsHead()
			}
			b.eval(`document.querySelectorAll("details.ask").forEach((one, n) => { one.open = n === 0 })`)
			b.fits()
			b.picture(visit.name)
			b.clean("status of 403", "status of 404", "status of 409")
		})
	}
}
