package osb_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/broker/osb"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers/fake"
)

// free charges nobody: what things cost is no matter of the protocol.
type free struct{}

func (free) Start(context.Context, catalog.Snapshot, time.Time) error  { return nil }
func (free) Change(context.Context, catalog.Snapshot, time.Time) error { return nil }
func (free) Suspend(context.Context, string, time.Time) error          { return nil }
func (free) Resume(context.Context, string, time.Time) error           { return nil }
func (free) Stop(context.Context, string, time.Time) error             { return nil }
func (free) Record(context.Context, ...catalog.Event) error            { return nil }
func (free) Admit(context.Context, catalog.Snapshot) error             { return nil }

func (free) OpenAccount(context.Context, string, string) (string, error) { return "acc_1", nil }
func (free) LinkOrg(context.Context, string, string) error               { return nil }

// market is a real broker and directory behind the protocol, with two platforms in one project.
type market struct {
	t         testing.TB
	server    *httptest.Server
	broker    *broker.Broker
	directory *directory.Directory
	trail     *audit.Log
	root      identity.Principal
	driver    *fake.Driver
	log       *logs
	counted   *logs             // what is told of each operation that ended
	passwords map[string]string // by platform's name
	ids       map[string]string // of the platforms with us, by name
	offering  catalog.Offering
}

// logs collects what is logged.
type logs struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newMarket(t *testing.T) *market { t.Helper(); return newMarketWaiting(t, 20*time.Second) }

// newMarketWaiting waits so long for fast work before it answers 202.
func newMarketWaiting(t *testing.T, wait time.Duration) *market {
	t.Helper()
	return newMarketOn(t, dbtest.New(t), wait)
}

func newMarketOn(t *testing.T, db *database.DB, wait time.Duration) *market {
	t.Helper()
	return newMarketOf(t, db, fake.New(fake.Options{}), wait)
}

func newMarketWith(t *testing.T, driver *fake.Driver) *market {
	t.Helper()
	return newMarketOf(t, dbtest.New(t), driver, 20*time.Second)
}

func newMarketOf(t testing.TB, db *database.DB, driver *fake.Driver, wait time.Duration) *market {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	m := &market{t: t, driver: driver, log: &logs{}, counted: &logs{}, passwords: map[string]string{}, ids: map[string]string{}}
	log := slog.New(slog.NewTextHandler(m.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	box, err := seal.New(ctx, db, filepath.Join(t.TempDir(), "master.key"), true)
	m.ok(err)
	engine := tasks.New(db, "n", "1", 8)
	trail, err := audit.New(ctx, db, box, engine)
	m.ok(err)
	clk := &clock.Market{}
	calendar, err := tasks.NewCalendar(ctx, db, engine, clk)
	m.ok(err)
	dir := directory.New(directory.Config{DB: db, Audit: trail, Accounts: free{}})
	m.broker, err = broker.New(ctx, broker.Config{
		DB: db, Tasks: engine, Calendar: calendar, Box: box, Audit: trail, Clock: clk, Providers: m.driver.Set(ctx, "fakes", "here"),
		Currency: "EUR", Meter: free{}, Gate: free{}, Tenants: dir, Log: log, Terms: terms(),
		Ended: func(verb, provider, state string, took time.Duration) {
			fmt.Fprintln(m.counted, verb, provider, state, took)
		},
	})
	m.ok(err)
	m.ok(engine.Start(ctx))
	m.directory, m.trail = dir, trail
	m.platforms(ctx, dir)
	m.server = httptest.NewServer(osb.Handler(osb.Config{Broker: m.broker, Directory: dir, Log: log, SyncWait: wait}))
	t.Cleanup(m.server.Close)
	return m
}

func (m *market) platforms(ctx context.Context, dir *directory.Directory) {
	m.t.Helper()
	root, err := dir.Bootstrap(ctx, "root@example.com", "Root", "correct horse battery")
	m.ok(err)
	who, err := dir.ByHuman(ctx, root.ID)
	m.ok(err)
	_, err = dir.CreateOrg(ctx, who, "acme", "Acme Ltd", "", "EUR")
	m.ok(err)
	who, err = dir.ByHuman(ctx, root.ID)
	m.ok(err)
	m.root = who
	for _, name := range []string{"cf-eu", "cf-us"} {
		p, password, err := dir.CreatePlatform(ctx, who, name, "acme", "default")
		m.ok(err)
		m.passwords[name], m.ids[name] = password, p.ID
	}
	offers, err := m.broker.Market(ctx, identity.Principal{Kind: identity.System})
	m.ok(err)
	m.offering = offers[0].Offering
}

func (m *market) ok(err error) {
	m.t.Helper()
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *market) plan(name string) string {
	m.t.Helper()
	p, err := m.offering.Plan(name)
	m.ok(err)
	return p.ID
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   map[string]any
	raw    string
}

// send sends a request as platform cf-eu, in version 2.17; change may make it worse. The caller closes the body.
func (m *market) send(method, path, body string, change ...func(*http.Request)) *http.Response {
	m.t.Helper()
	r, err := http.NewRequestWithContext(m.t.Context(), method, m.server.URL+path, strings.NewReader(body))
	m.ok(err)
	r.SetBasicAuth("cf-eu", m.passwords["cf-eu"])
	r.Header.Set("X-Broker-API-Version", "2.17")
	r.Header.Set("X-Broker-API-Request-Identity", "req-1")
	r.Header.Set("Content-Type", "application/json")
	for _, f := range change {
		f(r)
	}
	return m.through(r, body)
}

// ask is send, and reads the answer, which must be a JSON object and carry the request's identity.
func (m *market) ask(method, path, body string, change ...func(*http.Request)) answer {
	m.t.Helper()
	res := m.send(method, path, body, change...)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	m.ok(err)
	a := answer{status: res.StatusCode, header: res.Header, raw: string(raw)}
	if err := json.Unmarshal(raw, &a.body); err != nil {
		m.t.Fatalf("%s %s: %d is no JSON object: %s", method, path, res.StatusCode, raw)
	}
	if got := res.Header.Get("X-Broker-API-Request-Identity"); got != res.Request.Header.Get("X-Broker-API-Request-Identity") {
		m.t.Errorf("%s %s: request identity %q", method, path, got)
	}
	return a
}

// is checks an answer's status.
func (m *market) is(a answer, status int) answer {
	m.t.Helper()
	if a.status != status {
		m.t.Fatalf("got %d %s, want %d", a.status, a.raw, status)
	}
	return a
}

// order is the body of a provision.
func (m *market) order(plan, more string) string {
	return `{"service_id":"` + m.offering.ID + `","plan_id":"` + m.plan(plan) + `","organization_guid":"o","space_guid":"s"` + more + `}`
}

func (m *market) query(plan string) string {
	return "?service_id=" + m.offering.ID + "&plan_id=" + m.plan(plan)
}

// done polls until an operation has ended and gives how.
func (m *market) done(path string) string {
	m.t.Helper()
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late); {
		a := m.is(m.ask("GET", path+"/last_operation", ""), 200)
		if a.body["state"] != "in progress" {
			return a.body["state"].(string)
		}
	}
	m.t.Fatal("still in progress")
	return ""
}

// terms sells what the fake offers, and a few plans made from it: one for apps only, one that leads to one plan alone.
func terms() map[string][]catalog.Terms {
	var plans []catalog.PlanTerms
	for _, name := range []string{"sync", "async", "slow", "unbindable", "rotatable", "maintained", "failing", "lying", "flaky"} {
		plans = append(plans, catalog.PlanTerms{Name: name})
	}
	plans = append(plans, catalog.PlanTerms{Name: "apps", From: "sync", AppOnly: true}, catalog.PlanTerms{Name: "queued", From: "async"}, catalog.PlanTerms{Name: "narrow", From: "sync", Targets: []string{"sync"}})
	return map[string][]catalog.Terms{"fakes": {{Plans: plans}}}
}
