package pages_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// get asks for a page as somebody; "" is nobody.
func (h *house) ask(method, as, path string, form url.Values) (int, string) {
	h.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(h.Context(), method, h.server.URL+path, body)
	h.ok(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "name", Value: as})
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	h.ok(err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	h.ok(err)
	if location := resp.Header.Get("Location"); location != "" {
		return resp.StatusCode, location
	}
	return resp.StatusCode, string(text)
}

func TestWhoSeesWhat(t *testing.T) {
	h := newHouse(t)
	i := h.ready("postgresql", "small", "orders-db")
	b := h.bound(i, "shop-web")
	base := "/o/acme/shop"
	for _, c := range []struct {
		method, as, path string
		status           int
		has, lacks       string
	}{
		{"GET", "", base + "/instances", 401, "not signed in", "orders-db"},
		{"GET", "ada", "/", 303, "/o/acme/", ""},
		{"GET", "ada", base + "/instances", 200, "orders-db", ""},
		{"GET", "ada", base + "/instances/orders-db", 200, "Reveal", ""},
		{"GET", "ada", base + "/instances/nothing", 404, "There is no instance", ""},
		{"GET", "ada", "/o/rival/default/instances", 404, "There is no org", "orders-db"},
		{"GET", "ada", "/o/nothing/default/instances", 404, "There is no org", ""},
		{"GET", "ada", "/operator/audit", 404, "no such page", ""},
		{"GET", "ada", "/billing/acme/invoices", 200, "so far", ""},
		{"GET", "vera", "/billing/acme/invoices", 403, "", "so far"},
		{"GET", "vera", base + "/instances/orders-db", 200, "orders-db", "Reveal"},
		{"GET", "vera", base + "/marketplace/postgresql", 200, "PostgreSQL", "Choose"},
		{"GET", "vera", base + "/marketplace/postgresql/new", 403, "Ask an admin", ""},
		{"POST", "vera", base + "/instances/orders-db/bindings/" + b.ID + "/reveal", 403, "", "postgres://"},
		{"POST", "vera", base + "/instances/orders-db/destroy?confirm=orders-db", 403, "", ""},
		{"GET", "bill", "/billing/acme/invoices", 200, "so far", ""},
		{"GET", "otto", "/operator/providers", 200, "depot", ""},
		{"GET", "ada", "/operator/work", 404, "no such page", ""},
		{"GET", "otto", "/operator/work", 200, "Latest operations", ""},
		{"GET", "otto", "/operator/audit", 200, "instance.provision", ""},
		{"POST", "otto", base + "/apps/shop-web/reveal", 403, "", "postgres://"},
		{"POST", "", base + "/apps", 401, "", ""},
	} {
		status, text := h.ask(c.method, c.as, c.path, nil)
		if status != c.status || !strings.Contains(text, c.has) || c.lacks != "" && strings.Contains(text, c.lacks) {
			t.Errorf("%s %s as %q: %d, want %d with %q without %q:\n%s", c.method, c.path, c.as, status, c.status, c.has, c.lacks, main(text))
		}
	}
}

// main is the part of a page that differs.
func main(html string) string {
	_, rest, _ := strings.Cut(html, "<main")
	part, _, _ := strings.Cut(rest, "</main>")
	return part
}

func TestFormsLoseNothingAndChangeNothingWhenWrong(t *testing.T) {
	h := newHouse(t)
	form := url.Values{"plan": {"small"}, "name": {"Orders DB"}, "p.size": {"99"}, "p.encoding": {`"LATIN1"`}, "app": {"shop-web"}, "alias": {"ORDERS"}}
	path := "/o/acme/shop/marketplace/postgresql/new"
	status, text := h.ask("POST", "ada", path, form)
	for _, want := range []string{`value="Orders DB"`, `value="99"`, "LATIN1&#34;\" selected", `value="shop-web" selected`, `value="ORDERS"`, `class="field wrong"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the form lost %s", want)
		}
	}
	if status != 400 && status != 422 {
		t.Errorf("a wrong form is answered with %d:\n%s", status, main(text))
	}
	list, err := h.broker.Instances(t.Context(), h.as("ada"), h.scope())
	if err != nil || len(list) != 0 {
		t.Errorf("a wrong form made %v, %v", list, err)
	}
	form.Set("name", "orders-db")
	form.Set("p.size", "9")
	for n, done := range []string{"done=bound", "done=found"} {
		if status, to := h.ask("POST", "ada", path, form); status != 303 || !strings.Contains(to, "/instances/orders-db?") || !strings.Contains(to, done) {
			t.Errorf("sending it for the %d. time: %d %s", n+1, status, to)
		}
	}
	if list, err = h.broker.Instances(t.Context(), h.as("ada"), h.scope()); err != nil || len(list) != 1 {
		t.Errorf("the same form twice made %d instances, %v", len(list), err)
	}
	form.Set("plan", "dev")
	form.Del("p.size")
	form.Del("p.encoding")
	if status, text = h.ask("POST", "ada", path, form); status != 409 || !strings.Contains(text, "orders-db") {
		t.Errorf("another order under the same name: %d\n%s", status, main(text))
	}
	if status, text = h.ask("POST", "ada", "/o/acme/shop/instances/orders-db/destroy", url.Values{"confirm": {"orders"}}); status != 400 || !strings.Contains(text, "Nothing was destroyed") {
		t.Errorf("destroying with a wrong name: %d\n%s", status, main(text))
	}
	if status, text = h.ask("POST", "ada", "/o/acme/shop/apps", url.Values{"name": {"Shop Web"}}); status != 400 || !strings.Contains(text, `value="Shop Web"`) {
		t.Errorf("an app with a wrong name: %d\n%s", status, main(text))
	}
	if status, _ = h.ask("POST", "ada", "/o/acme/shop/marketplace/redis/new", url.Values{"plan": {"small"}, "name": {"cache"}}); status != 503 {
		t.Errorf("a provider that is starting takes an order: %d", status)
	}
}
