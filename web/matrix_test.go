package web_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/sutlerhq/sutler/identity"
)

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// answer is what a route said.
type answer struct {
	status int
	body   string
}

// refused tells whether the caller was kept out.
func (a answer) refused() bool {
	away := strings.HasPrefix(a.body, "/auth/login") || strings.HasPrefix(a.body, "/signin")
	return a.status == 401 || a.status == 403 || a.status == 404 || a.status == http.StatusSeeOther && away
}

// fill puts ids for {names}; with absent, ids of the same form that nobody has.
func (m *market) fill(text string, n int, absent bool) string {
	for name, id := range m.victim {
		if absent {
			id = m.absent(name)
		}
		text = strings.ReplaceAll(text, "{"+name+"}", id)
	}
	return strings.ReplaceAll(text, "{n}", fmt.Sprint(n))
}

// absent is what stands for an id in a request about nothing.
func (m *market) absent(name string) string {
	id := m.victim[name]
	return id[:4] + strings.Repeat("0", max(len(id)-6, 0)) + fmt.Sprintf("%02d", len(name))
}

// try asks a route as a caller, and reads at most the begin of a stream.
func (m *market) try(method, at, body, auth string, form bool) answer {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), method, m.url+at, strings.NewReader(body))
	must(m.t, err)
	r.Header.Set("X-Broker-API-Version", "2.17")
	switch {
	case form:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	case strings.HasPrefix(at, "/usage/events"):
		r.Header.Set("Content-Type", "application/cloudevents+json")
	case body != "":
		r.Header.Set("Content-Type", "application/json")
	}
	if auth != "" {
		r.Header.Set("Authorization", auth)
	}
	resp, err := still(http.DefaultClient).Do(r)
	must(m.t, err)
	defer resp.Body.Close()
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return answer{status: resp.StatusCode}
	}
	b, err := io.ReadAll(resp.Body)
	must(m.t, err)
	return answer{resp.StatusCode, resp.Header.Get("Location") + string(b)}
}

// entered counts the deeds in the audit trail: what a refused request must not raise.
func (m *market) entered() (n int) {
	m.t.Helper()
	must(m.t, m.db.From(m.t.Context()).Raw("SELECT count(*) FROM audit_rows").Scan(&n).Error)
	return n
}

func (m *market) ruled() []string {
	var routes []string
	for _, route := range m.server.Routes() {
		_, at, _ := strings.Cut(route, " ")
		if strings.HasPrefix(at, "/oidc/") || strings.HasPrefix(at, "/auth/") || strings.HasPrefix(at+"/", "/v2/") {
			continue
		}
		routes = append(routes, route)
	}
	return routes
}

// may tells whether a rule lets a caller through.
func (r rule) lets(caller string) bool {
	switch r.may {
	case all:
		return true
	case known:
		return caller != "nobody" && caller != "platform" && caller != "platform of rival" && caller != "limited" && caller != "provider"
	}
	return slices.Contains(strings.Fields(r.may), caller)
}

// TestMatrix walks route × caller over every room: who may not is refused and nothing happens, who may is let through.
func TestMatrix(t *testing.T) {
	m := openMarket(t)
	m.everyRouteIsRuled()
	callers := []string{"nobody", "owner", "admin", "developer", "billing", "viewer", "operator", "provider", "rival", "limited", "platform"}
	before, asked := m.entered(), 0
	for _, route := range m.ruled() {
		r, method := rules[route], strings.Fields(route)[0]
		for n, caller := range callers {
			if r.lets(caller) || r.may == known && caller != "nobody" {
				continue
			}
			asked++
			if a := m.try(method, m.fill(r.at, n, false), m.fill(r.body, n, false), m.bearers[caller], r.form); !a.refused() {
				t.Errorf("%s as %s was not refused: %d %.300s", route, caller, a.status, a.body)
			}
		}
	}
	if after := m.entered(); after != before {
		t.Errorf("refused requests left %d deeds in the trail", after-before)
	}
	t.Logf("%d routes, %d refusals asked", len(m.ruled()), asked)
	m.lettingThrough(callers)
}

func (m *market) everyRouteIsRuled() {
	m.t.Helper()
	if len(m.ruled()) < 60 {
		m.t.Fatal("the router lists too few routes: ", m.ruled())
	}
	for _, route := range m.ruled() {
		if _, ok := rules[route]; !ok {
			m.t.Errorf("the route %s has no rule: say in matrix_table_test.go who may use it", route)
		}
	}
}

// lettingThrough shows that the walls have doors: everybody who may gets another answer than a refusal.
func (m *market) lettingThrough(callers []string) {
	for _, ends := range []bool{false, true} {
		for _, route := range m.ruled() {
			r, method := rules[route], strings.Fields(route)[0]
			if r.ends != ends {
				continue
			}
			for n, caller := range callers {
				if !r.lets(caller) {
					continue
				}
				a := m.try(method, m.fill(r.at, 100+n, false), m.fill(r.body, 100+n, false), m.bearers[caller], r.form)
				if a.refused() || a.status >= 500 {
					m.t.Errorf("%s as %s was refused: %d %.300s", route, caller, a.status, a.body)
				}
				if ends {
					break
				}
			}
		}
	}
}

// TestNotYoursIsNotThere: an owner of another org gets one and the same answer about acme's things and about things that are not there, and
// sees nothing of acme in lists.
func TestNotYoursIsNotThere(t *testing.T) {
	m := openMarket(t)
	compared := 0
	for _, route := range m.ruled() {
		r, method := rules[route], strings.Fields(route)[0]
		about := r.may != all && m.fill(r.at+r.body, 1, false) != m.fill(r.at+r.body, 1, true)
		theirs := m.try(method, m.fill(r.at, 1, false), m.fill(r.body, 1, false), m.bearers["rival"], r.form)
		if !about {
			for name, id := range m.victim {
				if name != "asset" && strings.Contains(theirs.body, id) {
					t.Errorf("%s shows acme's %s to a stranger", route, name)
				}
			}
			continue
		}
		compared++
		nothing := m.try(method, m.fill(r.at, 1, true), m.fill(r.body, 1, true), m.bearers["rival"], r.form)
		if theirs.status != nothing.status || m.blind(theirs.body) != m.blind(nothing.body) {
			t.Errorf("%s tells what is not yours from what is not there:\n%d %s\n%d %s", route, theirs.status, m.blind(theirs.body), nothing.status, m.blind(nothing.body))
		}
	}
	if compared < 40 {
		t.Fatalf("only %d routes were compared", compared)
	}
}

// blind takes the ids that were asked for out of an answer.
func (m *market) blind(body string) string {
	for name, id := range m.victim {
		body = strings.ReplaceAll(strings.ReplaceAll(body, id, "{"+name+"}"), m.absent(name), "{"+name+"}")
	}
	return body
}

// TestMatrixOfPlatforms walks brokerapi's own router: without a platform's credentials 401, and another project's instance is not there.
func TestMatrixOfPlatforms(t *testing.T) {
	m := openMarket(t)
	offers, err := m.broker.Market(t.Context(), identity.Principal{Kind: identity.System})
	must(t, err)
	m.victim["service"], m.victim["plan"] = offers[0].ID, offers[0].Plans[0].ID
	ids := func(text string, absent bool) string {
		text = strings.NewReplacer("{service}", m.victim["service"], "{plan}", m.victim["plan"]).Replace(text)
		return m.fill(text, 1, absent)
	}
	router, ok := m.server.OSB.(interface{ Router() http.Handler })
	if !ok {
		t.Fatal("the OSB handler does not show its router")
	}
	if a := m.try("GET", ids(protocol["GET /v2/service_instances/{instance_id}"].at, false), "", m.bearers["platform"], false); a.status != 200 {
		t.Errorf("the platform itself: %d %s", a.status, a.body)
	}
	before, walked := m.entered(), 0
	walk := func(check func(route, method string, r struct{ at, body string })) {
		must(t, chi.Walk(router.Router().(chi.Routes), func(method, at string, _ http.Handler, _ ...func(http.Handler) http.Handler) error {
			walked++
			r, ok := protocol[method+" "+at]
			if !ok {
				t.Errorf("the route %s %s has no entry in matrix_table_test.go", method, at)
			}
			check(method+" "+at, method, r)
			return nil
		}))
	}
	walk(func(route, method string, r struct{ at, body string }) {
		theirs := m.try(method, ids(r.at, false), ids(r.body, false), m.bearers["platform of rival"], false)
		nothing := m.try(method, ids(r.at, true), ids(r.body, true), m.bearers["platform of rival"], false)
		if theirs.status != nothing.status || m.blind(theirs.body) != m.blind(nothing.body) || theirs.status == 401 || theirs.status == 429 {
			t.Errorf("%s tells what is not yours from what is not there:\n%d %s\n%d %s", route, theirs.status, theirs.body, nothing.status, nothing.body)
		}
	})
	walk(func(route, method string, r struct{ at, body string }) { // last: so many failures from one address are slowed down
		for _, auth := range []string{"", m.bearers["owner"], m.bearers["operator"], m.bearers["provider"], m.bearers["rival"], basic("cf", "wrong")} {
			if a := m.try(method, ids(r.at, false), ids(r.body, false), auth, false); a.status != 401 && a.status != 429 {
				t.Errorf("%s: %d %s", route, a.status, a.body)
			}
		}
	})
	if after := m.entered(); after != before || walked < 20 {
		t.Errorf("%d routes walked, %d deeds in the trail", walked, after-before)
	}
}

// TestGates walks the issuer and sign-in.
func TestGates(t *testing.T) {
	m := openMarket(t)
	walked := 0
	for _, route := range m.server.Routes() {
		method, at, _ := strings.Cut(route, " ")
		if !strings.HasPrefix(at, "/oidc/") && !strings.HasPrefix(at, "/auth/") {
			continue
		}
		walked++
		status, ok := gates[route]
		if !ok {
			t.Errorf("the route %s has no entry in matrix_table_test.go", route)
		}
		for _, caller := range []string{"nobody", "owner", "operator", "provider"} {
			if a := m.try(method, at, "", m.bearers[caller], method == "POST"); a.status != status {
				t.Errorf("%s as %s: %d %s", route, caller, a.status, a.body)
			}
		}
	}
	if walked != len(gates) {
		t.Errorf("%d routes walked, %d are known", walked, len(gates))
	}
}
