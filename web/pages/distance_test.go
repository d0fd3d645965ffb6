package pages_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
)

func TestInstancePageSaysHowFarItIs(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	b := h.bound(i, "shop-web")
	page := "/o/acme/shop/instances/orders-db"
	if status, text := h.ask(http.MethodGet, "ada", page, nil); status != http.StatusOK || strings.Contains(text, "p50 ") {
		t.Fatalf("%d: it tells of a distance that nobody measured", status)
	}
	c, _, err := h.broker.Join(h.Context(), h.as("ada"), identity.Scope{Org: h.org.ID, Project: h.project.ID, App: b.App}, "host-1")
	h.ok(err)
	_, err = h.broker.Report(h.Context(), h.as("ada"), c.ID, []broker.Measurement{{Binding: b.ID, Connect: time.Millisecond, First: 2300 * time.Microsecond}})
	h.ok(err)
	if _, text := h.ask(http.MethodGet, "ada", page, nil); !strings.Contains(text, "p50 2.3ms, p95 2.3ms") {
		t.Error("it does not say how far the backend is")
	}
}
