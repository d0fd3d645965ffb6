package main

import (
	"cmp"
	"errors"
	"fmt"
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

// applied tells whether the intent had committed when the process died. What had not must leave everything as it was. The revocation after a
// rotation is the rotation's own matter: when that has committed, it comes to pass.
func (c crashCase) applied() bool {
	switch c.stage() {
	case "accepting", "stopped", "inherited":
		return c.verb == "expire"
	}
	return true
}

// operation is the verb whose places the case dies at, and dying is what is set there.
func (c crashCase) operation() string {
	switch c.verb {
	case "expire":
		return "unbind"
	case "halt", "overtake":
		return "deprovision"
	case "restore":
		return "provision"
	}
	return c.verb
}

// task is the kind of the work that the case dies in.
func (c crashCase) task() string {
	if c.verb == "backup" {
		return "backup"
	}
	return "operation"
}

// interrupts tells whether a delete comes in the midst of something else.
func (c crashCase) interrupts() bool { return c.verb == "halt" || c.verb == "overtake" }

func (c crashCase) failpoints() string {
	spec := fmt.Sprintf("%s=kill@%d", c.point, c.nth)
	switch c.verb {
	case "halt": // the create stands still, done at the backend and not kept, while the delete comes
		spec += ",broker.provision.called=freeze 3s"
	case "overtake":
		spec += ",broker.update.called=freeze 3s"
	}
	return spec
}

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
	halted        int             // instances that were deleted before
	changes       int             // of plans so far
	pauses        int             // suspensions so far
	suspended     bool            // the instance is
	restored      bool            // the instance was made of a copy
	vault         string          // the folder of the backups
	copies        int             // backups so far
	copy          client.Backup   // that instances are made of; id empty: the driver makes none
	empty         []string        // what the backend holds when there is neither
	perInstance   int             // objects at the backend
	perBinding    int
}

// crashVerbs are the operations that die: each verb, the revocation after a rotation's grace time (expire), deletes that come in the midst of a
// create (halt) and of an update (overtake), the backup, and the provision that is filled with one (restore).
func crashVerbs() []string {
	return []string{"provision", "update", "bind", "rotate", "expire", "unbind", "suspend", "resume", "deprovision", "halt", "overtake", "backup", "restore"}
}

// crashCases lists the deaths of a lane, place by place, each round a whole life. The fake's slow and stumbling plans pass places several times.
func crashCases(driver string) (list []crashCase) {
	wants := map[string]string{"fake": "fake:sync", "postgres": "postgresql:dev", "nats": "nats:dev"}
	plain := []string{"provision", "update", "bind", "suspend", "resume", "unbind", "deprovision", "halt", "overtake"}
	list = append(list, round(wants[driver], 1, nil, plain)...)
	rotating := map[string]string{"fake": "fake:rotatable"}
	list = append(list, round(cmp.Or(rotating[driver], wants[driver]), 1, nil, []string{"rotate", "expire"})...)
	passedAgain := []string{"calling", "called", "keeping", "settling", "settled"}
	if driver != "nats" {
		list = append(list, round(wants[driver], 1, nil, []string{"backup", "restore"})...)
		list = append(list, round(wants[driver], 2, passedAgain, []string{"restore"})...) // once as it is made, once as it is filled
	}
	if driver == "fake" {
		verbs := []string{"provision", "bind", "unbind", "deprovision"}
		list = append(list, round("fake:async", 2, passedAgain, []string{"provision", "deprovision"})...)
		list = append(list, round("fake:flaky", 2, passedAgain, verbs)...)
		list = append(list, round("fake:flaky", 3, passedAgain, verbs)...)
	}
	return list
}

// round lists the places of a whole life on a plan, or only those of some stages.
func round(want string, nth int, stages, verbs []string) (list []crashCase) {
	for _, stage := range stagesOfAll() {
		if stages != nil && !slices.Contains(stages, stage) {
			continue
		}
		for _, verb := range verbs {
			c := crashCase{want: want, verb: verb, nth: nth}
			if verb == "halt" && stage == "stopped" || verb == "provision" && stage == "filling" {
				continue // nothing is charged for yet; there is no copy to fill it with
			}
			for _, p := range failpoint.Points() {
				if c.point = p.Name; p.Name == "broker."+c.operation()+"."+stage {
					list = append(list, c)
				}
				if p.Name == "tasks."+c.task()+"."+stage {
					if verb == "expire" || c.interrupts() && stage == "claimed" {
						c.nth = 2 // the first run is the rotation's, or what the delete comes in the midst of
					}
					list = append(list, c)
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
		case "provision called", "provision charged", "update charged", "bind sealed", "rotate expiring", "expire called", "halt settling", "overtake accepted", "unbind called", "deprovision accepting", "deprovision settling",
			"suspend charged", "resume called", "backup streamed", "restore filling":
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
	vault := t.TempDir()
	s := newSite(t, address, "first", fmt.Sprintf("%sgrace: 1s\nbackups: {folder: %s}\n", providers, vault))
	return &lane{site: s, store: store, driver: driver, backend: b, vault: vault}
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
	l.firstCopy(t, p, first)
	l.prepare(t, p, first)
}

// die is one case: the process dies at the place, another is started, and the end must be a legal one.
func (l *lane) die(t *testing.T, c, next crashCase, row *crashRow) {
	p := l.runWith(t, c.failpoints())
	l.ask(t, p, c)
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
func (l *lane) ask(t *testing.T, p *process, c crashCase) {
	t.Helper()
	if c.interrupts() {
		l.interrupt(t, p, c)
		return
	}
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
		case "rotate", "expire":
			_, err = api.Rotate(t.Context(), l.binding.ID)
		case "unbind":
			_, err = api.Unbind(t.Context(), l.binding.ID)
		case "suspend":
			_, err = api.SuspendInstance(t.Context(), l.place(), l.instance.ID, "the test asks for it")
		case "resume":
			_, err = api.ResumeInstance(t.Context(), l.place(), l.instance.ID)
		case "backup":
			_, err = api.BackUp(t.Context(), l.place(), l.instance.ID)
		case "restore":
			_, err = api.Restore(t.Context(), l.copy.ID, client.Restoration{})
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
	path, body := l.request(t, method, plan)
	status, text := askOSB(t.Context(), l.site, l.platform, method, path, body)
	switch {
	case status == http.StatusServiceUnavailable:
		return &client.Error{Status: status, Detail: text}
	case status >= http.StatusMultipleChoices:
		t.Fatalf("%s answered %d: %s", method, status, text)
	case status == 0:
		return errors.New(text)
	}
	return nil
}

// request is the path and the body of a platform's order or change.
func (l *lane) request(t *testing.T, method, plan string) (path, body string) {
	t.Helper()
	n := slices.IndexFunc(l.offering.Plans, func(p client.Plan) bool { return p.Name == plan })
	if n < 0 {
		t.Fatalf("no plan %s", plan)
	}
	number := l.born + l.halted
	if method == http.MethodPatch {
		number-- // the one that is there
	}
	return fmt.Sprintf("/v2/service_instances/thing-%d?accepts_incomplete=true", number),
		fmt.Sprintf(`{"service_id":%q,"plan_id":%q,"organization_guid":"o","space_guid":"s"}`, l.offering.ID, l.offering.Plans[n].ID)
}
