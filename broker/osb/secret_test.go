package osb_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/fake"
)

// mark is in every value that a platform gives and that nobody else may read.
const mark = "hush-4711"

// TestNoSecretAnywhere lives a whole life with marked parameters and contexts, good and bad, at debug level. Afterwards neither they nor a credential
// or a password is in the log, in an error's answer, in the audit trail, in what is counted, or in the clear in the store's files.
func TestNoSecretAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	m := newMarketOf(t, marketStore(t, dir), fake.New(fake.Options{}), 5*time.Second)
	life := &secretLife{market: m, secrets: map[string]bool{mark: true, m.passwords["cf-eu"]: true, m.passwords["cf-us"]: true}}
	life.good("queued")
	life.good("rotatable")
	life.bad()
	trail, err := m.broker.Audit.List(t.Context(), "", 1000)
	m.ok(err)
	rows, err := json.Marshal(trail)
	m.ok(err)
	places := map[string]string{"the log": m.log.String(), "an error's answer": life.errors.String(), "the audit trail": string(rows), "what is counted": m.counted.String()}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	m.ok(err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		m.ok(err)
		places["the file "+filepath.Base(file)] = string(text)
	}
	if len(files) == 0 || len(life.secrets) < 6 {
		t.Fatalf("%d files, %d secrets: this test proves nothing", len(files), len(life.secrets))
	}
	for place, text := range places {
		if len(text) == 0 {
			t.Errorf("%s is empty: this test proves nothing", place)
		}
		for secret := range life.secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s has a secret: %s", place, around(text, secret))
			}
		}
	}
}

// marketStore opens a migrated store whose files are in dir.
func marketStore(t *testing.T, dir string) *database.DB {
	t.Helper()
	for name, dsn := range dbtest.Migrated() {
		if name != "sqlite" {
			continue
		}
		made, err := filepath.Glob(strings.TrimPrefix(dsn(t), "sqlite://") + "*")
		if err != nil || len(made) == 0 {
			t.Fatal("no store", err)
		}
		for _, file := range made {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "store"+filepath.Ext(file)), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		break
	}
	stores, err := filepath.Glob(filepath.Join(dir, "store*"))
	if err != nil || len(stores) == 0 {
		t.Fatal("no store", err)
	}
	db, err := database.Open(t.Context(), "sqlite://"+stores[0], "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func around(text, secret string) string {
	i := strings.Index(text, secret)
	return fmt.Sprintf("%q", text[max(0, i-120):min(len(text), i+40)])
}

// secretLife sends requests and gathers what must stay secret, and every refusal.
type secretLife struct {
	*market
	secrets map[string]bool
	errors  strings.Builder
}

func (l *secretLife) ask(method, path, body string, change ...func(*http.Request)) answer {
	l.t.Helper()
	a := l.market.ask(method, path, body, change...)
	if a.status >= 400 {
		l.errors.WriteString(a.raw)
	}
	if c, ok := a.body["credentials"].(map[string]any); ok {
		for _, key := range []string{"uri", "password"} {
			l.secrets[c[key].(string)] = true
		}
	}
	return a
}

// good is a whole life on a plan: order, change, bind, read, rotate or bind again, end.
func (l *secretLife) good(plan string) {
	l.t.Helper()
	const async = "?accepts_incomplete=true"
	i := "/v2/service_instances/" + plan
	marked := `,"context":{"platform":"cloudfoundry","annotation":"` + mark + `"}`
	if plan == "queued" {
		marked += `,"parameters":{"label":"` + mark + `"}`
	}
	ended := func(path string, a answer) {
		l.t.Helper()
		if a.status >= 300 || l.done(path) != "succeeded" {
			l.t.Fatal(path, a.raw)
		}
	}
	ended(i, l.ask("PUT", i+async, l.order(plan, marked)))
	ended(i, l.ask("PATCH", i+async, l.patch(marked+`,"previous_values":{"plan_id":"`+mark+`"}`)))
	bind := l.patch(`,"plan_id":"` + l.plan(plan) + `"` + marked)
	ended(i+"/service_bindings/b-1", l.ask("PUT", i+"/service_bindings/b-1"+async, bind))
	l.is(l.ask("PUT", i+"/service_bindings/b-1"+async, bind), 200)
	l.is(l.ask("GET", i+"/service_bindings/b-1", ""), 200)
	next := bind
	if plan == "rotatable" {
		next = `{"predecessor_binding_id":"b-1"}`
	}
	ended(i+"/service_bindings/b-2", l.ask("PUT", i+"/service_bindings/b-2"+async, next))
	l.is(l.ask("GET", i+"/service_bindings/b-2", ""), 200)
	query := l.query(plan) + "&accepts_incomplete=true"
	ended(i+"/service_bindings/b-1", l.ask("DELETE", i+"/service_bindings/b-1"+query, ""))
	ended(i, l.ask("DELETE", i+query, ""))
}

// bad is everything that can go wrong with a value in it.
func (l *secretLife) bad() {
	l.t.Helper()
	const i, async = "/v2/service_instances/bad", "?accepts_incomplete=true"
	for _, parameters := range []string{
		`{"label":{"` + mark + `":1}}`, `{"label":"` + mark + strings.Repeat("x", 40) + `"}`, `{"size":"` + mark + `"}`, `["` + mark + `"]`, `"` + mark + `"`,
		`{"label":"` + mark + `","label":"` + mark + `"}`, `{"label":"` + mark + `\u0000"}`, `{"label":"` + mark,
	} {
		l.is(l.ask("PUT", i+async, l.order("queued", `,"parameters":`+parameters)), 400)
	}
	l.is(l.ask("PUT", i, l.order("sync", `,"context":{"x":"`+mark+`"}`)), 201)
	l.driver.FailNext("bind", 1, fault.Refused.Errorf("No more logins."))
	bind := l.patch(`,"plan_id":"` + l.plan("sync") + `","context":{"x":"` + mark + `"}`)
	l.is(l.ask("PUT", i+"/service_bindings/b", bind), 502)
	l.is(l.ask("PATCH", i, l.patch(`,"plan_id":"`+l.plan("failing")+`","context":{"x":"`+mark+`"}`)), 502)
	l.is(l.ask("GET", "/v2/catalog", "", func(r *http.Request) { r.SetBasicAuth("cf-eu", mark) }), 401)
	l.is(l.ask("GET", "/v2/catalog", "", func(r *http.Request) { r.Header.Set("Authorization", "Basic "+mark) }), 401)
	l.is(l.ask("GET", "/v2/catalog", "", func(r *http.Request) { r.Header.Set("X-Broker-API-Originating-Identity", mark) }), 400)
	l.is(l.ask("DELETE", i+l.query("sync"), ""), 200)
}
