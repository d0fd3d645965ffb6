package osb_test

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sutlerhq/sutler/broker/osb/osbtest"
	"github.com/sutlerhq/sutler/internal/strict"
	peer "sigs.k8s.io/go-open-service-broker-client/v2"
)

// TestErrorsThatAClientKnows: the client of Kubernetes' service catalog recognises the protocol's own errors by code and description.
func TestErrorsThatAClientKnows(t *testing.T) {
	t.Parallel()
	m := newMarket(t)
	asked := func(a answer) error {
		code, says := fmt.Sprint(a.body["error"]), fmt.Sprint(a.body["description"])
		return peer.HTTPStatusCodeError{StatusCode: a.status, ErrorMessage: &code, Description: &says}
	}
	const i = "/v2/service_instances/i"
	ids := func(plan string) string {
		return `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan(plan) + `"}`
	}
	if err := asked(m.ask("PUT", i, m.order("async", ""))); !peer.IsAsyncRequiredError(err) {
		t.Error(err)
	}
	m.is(m.ask("PUT", i, m.order("apps", "")), 201)
	if err := asked(m.ask("PUT", i+"/service_bindings/b", ids("apps"))); !peer.IsAppGUIDRequiredError(err) {
		t.Error(err)
	}
	hold := m.driver.Hang("provision")
	m.is(m.ask("PUT", i+"2?accepts_incomplete=true", m.order("async", "")), 202)
	if err := asked(m.ask("PUT", i+"2/service_bindings/b?accepts_incomplete=true", ids("async"))); !peer.IsConcurrencyError(err) {
		t.Error(err)
	}
	hold.Release()
}

// lenient marks a request that breaks the protocol and is served all the same, because living clients send such.
const lenient = "Sutler-Test-Lenient"

func leniently(r *http.Request) { r.Header.Set(lenient, "yes") }

// through lets prism stand between the test and the broker: an answer that violates docs/osb-openapi.yaml fails the test, and so does a request that
// violates it and is served. Refused requests violate it on purpose. What prism would change on its way goes directly.
func (m *market) through(r *http.Request, body string) *http.Response {
	m.t.Helper()
	excused := r.Header.Get(lenient) != ""
	r.Header.Del(lenient)
	if !watched(m.t) || !carried(r, body) {
		res, err := http.DefaultClient.Do(r)
		m.ok(err)
		return res
	}
	p, err := osbtest.Shared()
	m.ok(err)
	res, found, err := p.Send(r)
	m.ok(err)
	for _, v := range found {
		if v.OfResponse() || res.StatusCode < 400 && !excused {
			m.t.Errorf("%s %s answered %d: %s", r.Method, r.URL, res.StatusCode, v)
		}
	}
	return res
}

// watched tells whether prism is there; in continuous integration it has to be.
func watched(t testing.TB) bool {
	t.Helper()
	if _, one := t.(*testing.T); !one || testing.Short() { // a fuzz target or a benchmark goes straight
		return false
	}
	_, err := osbtest.Tool("prism")
	if err != nil && os.Getenv("CI") != "" {
		t.Fatal(err)
	}
	return err == nil
}

// carried tells whether prism would hand a request on as it is: it reads JSON and writes it again, it tidies paths and queries, and it knows only
// the routes of its document.
func carried(r *http.Request, body string) bool {
	path := r.URL.EscapedPath()
	if !utf8.ValidString(r.URL.Path) || r.Method == http.MethodGet && body != "" {
		return false
	}
	_, err := url.ParseQuery(r.URL.RawQuery)
	known := path == "/v2/catalog" && r.Method == http.MethodGet || strings.HasPrefix(path, "/v2/service_instances/") && r.Method != http.MethodPost
	plain := body == "" || len(body) < 1<<20 && strict.JSON([]byte(body)) == nil
	return known && plain && err == nil && !strings.Contains(path, "//") && !strings.HasSuffix(path, "/") && !strings.Contains(path, "/.") &&
		!strings.Contains(strings.ToLower(path), "%2e")
}
