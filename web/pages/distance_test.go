package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestInstancePageSaysHowFarItIs(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	b := h.bound(i, "shop-web")
	page := "/o/acme/shop/instances/orders-db"
	if status, text := h.ask(http.MethodGet, "ada", page, nil); status != http.StatusOK || strings.Contains(text, "p50 ") {
		t.Fatalf("%d: it tells of a distance that nobody measured", status)
	}
	h.measures(b, "host-1", 2300*time.Microsecond)
	if _, text := h.ask(http.MethodGet, "ada", page, nil); !strings.Contains(text, "p50 2.3ms, p95 2.3ms") {
		t.Error("it does not say how far the backend is")
	}
}

func TestMarketSaysHowFarProvidersAre(t *testing.T) {
	h := newHouse(t)
	at := shop + "/marketplace?kind=postgresql"
	b := h.bound(h.ready("postgresql", "small", "orders-db"), "shop-web")
	h.until("the market has measured", func() bool { _, text := h.ask("GET", "ada", at, nil); return strings.Contains(text, "0.84\u00a0ms") })
	h.reads("ada", at, []string{"from the market", "nowhere yet", "Distance not measured", "sutler</span> <span>marketplace</span> <span>--kind</span> <span>postgresql</span> <span>--near"}, []string{"your app shop-web"})
	h.measures(b, "web-1.shop.internal", 2300*time.Microsecond)
	for _, path := range []string{at, shop + "/marketplace", shop + "/marketplace/pg-east"} {
		h.reads("ada", path, []string{"your app shop-web", "web-1.shop.internal", "2.3\u00a0ms", "0.84\u00a0ms", "1.4\u00a0ms", "just now"}, nil)
	}
	h.reads("ada", "/o/acme/default/marketplace?kind=postgresql", []string{"0.84\u00a0ms"}, []string{"shop-web", "web-1.shop.internal"}) // another project's apps are elsewhere
	_, text := h.ask("GET", "ada", at+"&order=near", nil)
	if near, far := strings.Index(text, `data-label="Plan">large`), strings.Index(text, `data-label="Plan">standard`); near < 0 || far < near || !strings.Contains(text, "cheapest first</a>") {
		t.Errorf("the nearest does not come first:\n%s", main(text))
	}
}

// reads looks at a page as somebody: what must be on it and what must not.
func (h *house) reads(as, path string, has, lacks []string) {
	h.Helper()
	status, text := h.ask("GET", as, path, nil)
	if status != http.StatusOK {
		h.Errorf("%s: %d", path, status)
	}
	for _, want := range has {
		if !strings.Contains(text, want) {
			h.Errorf("%s lacks %q:\n%s", path, want, main(text))
		}
	}
	for _, bad := range lacks {
		if strings.Contains(text, bad) {
			h.Errorf("%s has %q:\n%s", path, bad, main(text))
		}
	}
}
