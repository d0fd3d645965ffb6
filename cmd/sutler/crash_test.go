package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/web/client"
)

// crashCase is one death: while verb works on an instance of want, at a place passed for the nth time.
type crashCase struct {
	want, verb, point string
	nth               int
}

func (c crashCase) stage() string { return c.point[strings.LastIndexByte(c.point, '.')+1:] }

// applied tells whether the intent had committed when the process died. What had not must leave everything as it was.
func (c crashCase) applied() bool { return c.stage() != "accepting" && c.stage() != "stopped" }

// lane is a market whose process dies again and again: one store, one driver. It has at most one instance with one binding.
type lane struct {
	site
	store, driver string
	backend       backend
	app           string
	platform      client.Platform // orders instances over OSB; the rest is asked through the API
	offering      client.Offering
	instance      client.Instance // id empty: none
	binding       client.Binding  // id empty: none; with credentials
	ended         map[string]any  // credentials of the last binding that ended
	born          int             // instances that became ready so far
	changes       int             // of plans so far
	empty         []string        // what the backend holds when there is neither
	perInstance   int             // objects at the backend
	perBinding    int
}

// crashVerbs are the operations that die.
func crashVerbs() []string { return []string{"provision", "update", "bind", "unbind", "deprovision"} }

// crashCases lists the deaths of a lane, place by place, each round a whole life. The fake's slow and stumbling plans pass places several times.
func crashCases(driver string) (list []crashCase) {
	wants := map[string]string{"fake": "fake:sync", "postgres": "postgresql:dev", "nats": "nats:dev"}
	list = append(list, round(wants[driver], 1, nil)...)
	if driver == "fake" {
		again := []string{"calling", "called", "keeping", "settling", "settled"}
		list = append(list, round("fake:async", 2, again)...)
		list = append(list, round("fake:flaky", 2, again)...)
		list = append(list, round("fake:flaky", 3, again)...)
	}
	return list
}

// round lists the places of a whole life on a plan, or only those of some stages.
func round(want string, nth int, stages []string) (list []crashCase) {
	for _, stage := range stagesOfAll() {
		if stages != nil && !slices.Contains(stages, stage) {
			continue
		}
		for _, verb := range crashVerbs() {
			if want == "fake:async" && verb != "provision" && verb != "deprovision" || nth > 1 && verb == "update" {
				continue // they do not take several steps there
			}
			for _, p := range failpoint.Points() {
				if p.Name == "broker."+verb+"."+stage || p.Name == "tasks.operation."+stage {
					list = append(list, crashCase{want, verb, p.Name, nth})
				}
			}
		}
	}
	return list
}

func stagesOfAll() (list []string) {
	for _, p := range failpoint.Points() {
		if stage := p.Name[strings.LastIndexByte(p.Name, '.')+1:]; !slices.Contains(list, stage) {
			list = append(list, stage)
		}
	}
	return list
}

// sample is what `make test` runs of it.
func sample(list []crashCase) (out []crashCase) {
	for _, c := range list {
		switch c.verb + " " + c.stage() {
		case "provision called", "provision charged", "update charged", "bind sealed", "unbind called", "deprovision accepting", "deprovision settling":
			if c.nth == 1 {
				out = append(out, c)
			}
		}
	}
	return out
}

// TestCrashMatrix kills the real program with -9 at every place of every operation, on both stores, with three drivers, and looks whether each
// case comes to its legal end after the restart. SUTLER_CRASH names the file that the whole matrix is reported to; without it a sample runs.
func TestCrashMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	whole := os.Getenv("SUTLER_CRASH")
	groups := [][2]string{{"sqlite", "fake"}, {"postgres", "postgres"}}
	if whole != "" {
		groups = [][2]string{{"sqlite", "fake"}, {"postgres", "fake"}, {"sqlite", "postgres"}, {"sqlite", "nats"}, {"postgres", "postgres"}}
	}
	var report crashReport
	began := time.Now()
	t.Run("lanes", func(t *testing.T) {
		turn := make(chan struct{}, 1) // lanes on the PostgreSQL driver count the objects of one server: one after the other
		for _, g := range groups {
			t.Run(g[0]+"/"+g[1], func(t *testing.T) {
				t.Parallel()
				if g[1] == "postgres" {
					turn <- struct{}{}
					defer func() { <-turn }()
				}
				cases := crashCases(g[1])
				if whole == "" {
					cases = sample(cases)
				}
				newLane(t, g[0], g[1]).walk(t, cases, &report)
			})
		}
	})
	report.took = time.Since(began)
	t.Logf("\n%s", report.text())
	if whole != "" {
		if err := os.WriteFile(whole, []byte(report.text()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func newLane(t *testing.T, store, driver string) *lane {
	t.Helper()
	address := map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres}[store](t)
	b, providers := behind(t, driver)
	return &lane{site: newSite(t, address, "first", providers), store: store, driver: driver, backend: b}
}

// walk takes a lane through its cases. After each the market is brought to where the next one begins.
func (l *lane) walk(t *testing.T, cases []crashCase, report *crashReport) {
	t.Run("begin", func(t *testing.T) { l.begin(t, cases[0]) })
	for n, c := range cases {
		next := crashCase{verb: "provision"}
		if n+1 < len(cases) {
			next = cases[n+1]
		}
		row := crashRow{crashCase: c, store: l.store, driver: l.driver}
		row.passed = t.Run(fmt.Sprintf("%s %s@%d", c.want, c.point, c.nth), func(t *testing.T) { l.die(t, c, next, &row) })
		report.add(row)
		if !row.passed {
			t.Fatal("what follows stands on this one")
		}
	}
}

// begin makes the app, learns what one instance and one binding leave at this backend, and prepares the first case.
func (l *lane) begin(t *testing.T, first crashCase) {
	p := l.run(t)
	a, err := l.client().CreateApp(t.Context(), client.NewApp{Name: "crash", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	if l.platform, err = l.client().CreatePlatform(t.Context(), client.NewPlatform{Name: "crash", Org: devOrg, Project: devProject}); err != nil {
		t.Fatal(err)
	}
	p.await(t, "offering", func() bool {
		list, err := l.client().Market(t.Context())
		if err == nil && len(list) == 1 {
			l.offering = list[0]
		}
		return l.offering.ID != ""
	})
	l.app, l.empty = a.ID, l.backend.objects(t)
	l.prepare(t, p, crashCase{want: first.want, verb: "bind"})
	l.perInstance = len(l.backend.objects(t)) - len(l.empty)
	l.prepare(t, p, crashCase{want: first.want, verb: "unbind"})
	l.perBinding = len(l.backend.objects(t)) - len(l.empty) - l.perInstance
	l.prepare(t, p, first)
}

// die is one case: the process dies at the place, another is started, and the end must be a legal one.
func (l *lane) die(t *testing.T, c, next crashCase, row *crashRow) {
	p := l.runWith(t, fmt.Sprintf("%s=kill@%d", c.point, c.nth))
	l.ask(t, c)
	select {
	case <-p.dead:
	case <-time.After(30 * time.Second):
		t.Fatalf("the process never came to %s", c.point)
	}
	if s, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended otherwise: %s", p.cmd.ProcessState)
	}
	again := time.Now()
	p = l.run(t)
	row.answered = time.Since(again)
	l.converge(t, p, c)
	row.converged = time.Since(again)
	l.check(t)
	l.prepare(t, p, next)
}

// ask sends the case's request. The answer does not count: the process may die before it can give one.
func (l *lane) ask(t *testing.T, c crashCase) {
	t.Helper()
	var err error
	api := l.client()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); <-time.After(20 * time.Millisecond) {
		switch c.verb {
		case "provision":
			_, plan, _ := strings.Cut(c.want, ":")
			err = l.osb(t, http.MethodPut, plan)
		case "update":
			err = l.osb(t, http.MethodPatch, otherPlan(l.instance.Plan))
		case "bind":
			_, err = api.Bind(t.Context(), client.NewBinding{Instance: l.instance.ID, App: l.app})
		case "unbind":
			_, err = api.Unbind(t.Context(), l.binding.ID)
		case "deprovision":
			_, err = api.DestroyInstance(t.Context(), l.instance.ID)
		}
		if refused, ok := errors.AsType[*client.Error](err); !ok || refused.Status != http.StatusServiceUnavailable {
			return // the provider of a fresh process may not have been asked yet
		}
	}
	t.Fatal(err)
}

// otherPlan is what an update changes to.
func otherPlan(plan string) string {
	if plan == "sync" {
		return "rotatable"
	}
	return "small"
}

// osb orders or changes the lane's instance as a platform does. What the market refuses is a *client.Error.
func (l *lane) osb(t *testing.T, method, plan string) error {
	t.Helper()
	n := slices.IndexFunc(l.offering.Plans, func(p client.Plan) bool { return p.Name == plan })
	if n < 0 {
		t.Fatalf("no plan %s", plan)
	}
	born := l.born
	if method == http.MethodPatch {
		born-- // the one that is there
	}
	body := fmt.Sprintf(`{"service_id":%q,"plan_id":%q,"organization_guid":"o","space_guid":"s"}`, l.offering.ID, l.offering.Plans[n].ID)
	req, err := http.NewRequestWithContext(t.Context(), method, fmt.Sprintf("%s/v2/service_instances/thing-%d?accepts_incomplete=true", l.url, born), strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth(l.platform.Name, l.platform.Password)
	req.Header.Set("X-Broker-API-Version", "2.17")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusServiceUnavailable {
		return &client.Error{Status: resp.StatusCode, Detail: string(text)}
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		t.Fatalf("%s answered %d: %s", method, resp.StatusCode, text)
	}
	return err
}
