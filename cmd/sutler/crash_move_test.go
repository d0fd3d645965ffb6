package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/web/client"
)

// moveVerbs are the deaths of a move: on its way to the switch, as it is confirmed, as it is taken back.
func moveVerbs() []string { return []string{"move", "confirm", "return"} }

// moveCases lists them: every place of the move's own, at each of the turns that pass it, and some of the operations that it is made of.
func moveCases(driver string) (list []crashCase) {
	want := map[string]string{"fake": "fake:sync", "postgres": "postgresql:dev"}[driver]
	add := func(verb, point string, times int) {
		for n := range times {
			list = append(list, crashCase{want, verb, point, n + 1})
		}
	}
	turns := map[string]int{"turning": 4, "settling": 4, "settled": 4}
	for _, p := range failpoint.Points() {
		switch room, stage, _ := strings.Cut(strings.TrimPrefix(p.Name, "broker."), "."); {
		case room == "move" && strings.HasPrefix(stage, "confirm"):
			add("confirm", p.Name, 1)
		case room == "move" && strings.HasPrefix(stage, "return"):
			add("return", p.Name, 1)
		case room == "move" && strings.HasPrefix(p.Name, "broker."):
			add("move", p.Name, cmp.Or(turns[stage], 1))
		}
	}
	for _, stage := range []string{"turning", "settling", "settled"} {
		add("return", "broker.move."+stage, 1)
	}
	for _, point := range []string{"tasks.move.claimed", "tasks.move.ending", "tasks.move.ended", "broker.suspend.called", "broker.provision.filling", "broker.provision.charged", "broker.bind.called"} {
		add("move", point, 1)
	}
	add("return", "broker.resume.called", 1)
	for _, verb := range []string{"confirm", "return"} {
		add(verb, "broker.deprovision.called", 1)
	}
	return list
}

// moveSample is what `make test` runs of it.
func moveSample(list []crashCase) (out []crashCase) {
	chosen := map[string]bool{"move compared@1": true, "move settling@4": true, "move settled@2": true, "confirm confirmed@1": true, "return returning@1": true, "return returned@1": true}
	for _, c := range list {
		if strings.HasPrefix(c.point, "broker.move.") && chosen[fmt.Sprintf("%s %s@%d", c.verb, c.stage(), c.nth)] {
			out = append(out, c)
		}
	}
	return out
}

// parcel is a market with one instance that is moved to another plan and back, while its process dies again and again. An app is bound to it.
type parcel struct {
	site
	store, driver string
	backend       backend
	plan          string // the instance's own, before the move
	moves         int    // accepted so far
	moved         bool   // the switch has been made and nobody has decided
	weight        int    // what one instance with its binding is at the backend
	empty         int    // what is there anyway
}

// TestMoveCrashMatrix kills the real program at every place of a move, and looks whether data, name, bindings and charges are where they belong
// after the restart. It is the crash matrix's second half.
func TestMoveCrashMatrix(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	groups := [][2]string{{"sqlite", "fake"}, {"postgres", "postgres"}}
	whole := os.Getenv("SUTLER_CRASH")
	if whole != "" {
		groups = append(groups, [2]string{"postgres", "fake"}, [2]string{"sqlite", "postgres"})
	}
	var report crashReport
	began := time.Now()
	var turn sync.Mutex // lanes on the PostgreSQL driver count the objects of one server: one after the other
	for _, g := range groups {
		t.Run(g[0]+"/"+g[1], func(t *testing.T) {
			if g[1] == "postgres" {
				turn.Lock()
				defer turn.Unlock()
			}
			cases := moveCases(g[1])
			if whole == "" {
				cases = moveSample(cases)
			}
			newParcel(t, g[0], g[1]).walk(t, cases, &report)
		})
	}
	report.took = time.Since(began)
	text := report.section("Moves", moveVerbs())
	t.Logf("\n%s", text)
	if whole != "" {
		addSection(t, whole, text)
	}
}

// addSection puts the moves into the page that the other cases were reported to, before its list of places.
func addSection(t *testing.T, page, text string) {
	t.Helper()
	had, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, places, found := strings.Cut(string(had), "## Places")
	if !found {
		t.Fatalf("%s has no list of places", page)
	}
	head, _, _ = strings.Cut(head, "## Moves")
	if err := os.WriteFile(page, []byte(head+text+"## Places"+places), 0o644); err != nil {
		t.Fatal(err)
	}
}

func newParcel(t *testing.T, store, driver string) *parcel {
	t.Helper()
	l := newLane(t, store, driver)
	return &parcel{site: l.site, store: store, driver: driver, backend: l.backend}
}

func (*parcel) place() client.Place { return client.Place{Org: devOrg, Project: devProject} }

func (m *parcel) walk(t *testing.T, cases []crashCase, report *crashReport) {
	if !t.Run("begin", func(t *testing.T) { m.begin(t, cases[0]) }) {
		return
	}
	for n, c := range cases {
		next := cases[min(n+1, len(cases)-1)]
		row := crashRow{crashCase: c, store: m.store, driver: m.driver}
		row.passed = t.Run(fmt.Sprintf("%s %s@%d", c.verb, c.point, c.nth), func(t *testing.T) { m.die(t, c, next, &row) })
		report.add(row)
		if !row.passed {
			t.Fatal("what follows stands on this one")
		}
	}
}

// begin makes the instance with an app's word in it.
func (m *parcel) begin(t *testing.T, first crashCase) {
	p := m.run(t)
	m.empty = len(m.backend.objects(t))
	a, err := m.client().CreateApp(t.Context(), client.NewApp{Name: "sender", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	var made client.Ordered
	m.await(t, p, func() (err error) {
		made, err = m.client().CreateInstance(t.Context(), client.NewInstance{Want: first.want, Name: "parcel", Org: devOrg, Project: devProject})
		return err
	})
	m.awaitReady(t, p, made.ID)
	bound, err := m.client().Bind(t.Context(), client.NewBinding{Instance: made.ID, App: a.ID})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.backend.(keeper).keep(m.credentials(t, p, bound.ID), keptWord); err != nil {
		t.Fatal(err)
	}
	m.weight = len(m.backend.objects(t)) - m.empty
	_, m.plan, _ = strings.Cut(first.want, ":")
	m.check(t, p)
	m.prepare(t, p, first)
}

// prepare brings the move to where a case begins, and stops the process.
func (m *parcel) prepare(t *testing.T, p *process, c crashCase) {
	t.Helper()
	if m.moved != (c.verb != "move") {
		verb := "move"
		if m.moved {
			verb = "confirm"
		}
		m.ask(t, p, verb)
		m.follow(t, p, verb)
		m.check(t, p)
	}
	_ = p.stop(t)
}

// die is one case: the process dies at the place, another is started, and the end must be a legal one.
func (m *parcel) die(t *testing.T, c, next crashCase, row *crashRow) {
	p := m.runWith(t, c.failpoints())
	m.ask(t, p, c.verb)
	select {
	case <-p.dead:
	case <-time.After(60 * time.Second):
		t.Fatalf("the process never came to %s", c.point)
	}
	if s, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || s.Signal() != syscall.SIGKILL {
		t.Fatalf("the process ended otherwise: %s", p.cmd.ProcessState)
	}
	again := time.Now()
	p = m.run(t)
	row.answered = time.Since(again)
	if !slices.Contains([]string{"broker.move.accepting", "broker.move.confirming", "broker.move.returning"}, c.point) {
		m.follow(t, p, c.verb)
	}
	m.check(t, p)
	row.converged = time.Since(again)
	m.prepare(t, p, next)
}

// ask sends the case's request. The answer does not count: the process may die before it can give one.
func (m *parcel) ask(t *testing.T, p *process, verb string) {
	t.Helper()
	p.await(t, "answer to the order of a "+verb, func() (heard bool) {
		var err error
		switch verb {
		case "move":
			_, err = m.client().MoveInstance(t.Context(), m.place(), "parcel", client.Relocation{Provider: m.provider(), Plan: m.elsewhere()})
		case "confirm":
			_, err = m.client().ConfirmMove(t.Context(), m.place(), "parcel")
		case "return":
			_, err = m.client().RollBackMove(t.Context(), m.place(), "parcel", client.Return{Name: "parcel"})
		}
		refused, ok := errors.AsType[*client.Error](err)
		if ok && refused.Status < 500 {
			t.Errorf("%s: %v", verb, err)
		}
		return !ok || refused.Status < 500 // the provider of a fresh process may not have been asked yet
	})
}

func (m *parcel) provider() string {
	return map[string]string{"fake": "make-believe", "postgres": "pg"}[m.driver]
}

// elsewhere is the plan that the instance is moved to.
func (m *parcel) elsewhere() string {
	return map[string]string{"sync": "rotatable", "rotatable": "sync", "dev": "small", "small": "dev"}[m.plan]
}

// follow waits for the end of what was asked for, and takes note of it.
func (m *parcel) follow(t *testing.T, p *process, verb string) {
	t.Helper()
	state := map[string]string{"move": "moved", "confirm": "confirmed", "return": "rolled back"}[verb]
	m.await(t, p, func() error {
		mv, err := m.client().Move(t.Context(), m.place(), "parcel")
		return not(err, mv.State == state, mv.State+" "+mv.Note)
	})
	switch m.moved = verb == "move"; verb {
	case "move":
		m.moves++
	case "confirm":
		m.plan = m.elsewhere()
	}
}

func (m *parcel) await(t *testing.T, p *process, f func() error) {
	t.Helper()
	var err error
	p.await(t, "legal end", func() bool { err = f(); return err == nil || t.Failed() })
	if err != nil {
		t.Fatal(err)
	}
}

// check waits until nothing is under way, and compares backend, books and what the app gets with where the move stands.
func (m *parcel) check(t *testing.T, p *process) {
	t.Helper()
	p.await(t, "rest", func() bool {
		return m.count(t, "SELECT count(*) FROM operations WHERE live = 1") == 0 && m.count(t, "SELECT count(*) FROM tasks WHERE kind IN ('operation', 'move')") == 0
	})
	plan, both := m.plan, 0
	if m.moved {
		plan, both = m.elsewhere(), 1
	}
	if got := m.backend.objects(t); len(got) != m.empty+(1+both)*m.weight {
		t.Errorf("the backend holds %v, want %d objects", got, m.empty+(1+both)*m.weight)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM moves":                                                                                   m.moves,
		"SELECT count(*) FROM moves WHERE ended_at = 0":                                                                both,
		"SELECT count(*) FROM instances":                                                                               1 + m.moves,
		"SELECT count(*) FROM instances WHERE state = 'ready'":                                                         1,
		"SELECT count(*) FROM instances WHERE state = 'suspended'":                                                     both,
		"SELECT count(*) FROM instances WHERE state NOT IN ('ready', 'suspended', 'gone')":                             0,
		"SELECT count(*) FROM intervals":                                                                               1 + m.moves,
		"SELECT count(*) FROM intervals WHERE ended_at = 0":                                                            1 + both,
		"SELECT count(*) FROM suspensions WHERE ended_at = 0":                                                          both,
		"SELECT count(*) FROM holds h JOIN instances i ON i.id = h.instance WHERE i.state <> 'gone'":                   both,
		"SELECT count(*) FROM bindings WHERE state = 'ready'":                                                          1 + both,
		"SELECT count(*) FROM bindings WHERE state NOT IN ('ready', 'gone')":                                           0,
		"SELECT count(*) FROM operations WHERE live = 1 OR state <> 'succeeded' AND note <> '" + broker.Replaced + "'": 0,
	} {
		if n := m.count(t, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	m.checkContent(t, p, plan)
}

// checkContent looks at the one that has the name: its plan, its only binding, and the app's word in it.
func (m *parcel) checkContent(t *testing.T, p *process, plan string) {
	t.Helper()
	i, err := m.client().Instance(t.Context(), m.place(), "parcel")
	if err != nil || i.State != "ready" || i.Plan != plan {
		t.Errorf("parcel is %s on %s, want ready on %s (%v)", i.State, i.Plan, plan, err)
	}
	all, err := m.client().Bindings(t.Context(), m.place(), "parcel", "")
	if err != nil || len(all) != 1 || all[0].State != "ready" {
		t.Fatalf("%+v %v", all, err)
	}
	if word, err := m.backend.(keeper).kept(m.credentials(t, p, all[0].ID)); err != nil || word != keptWord {
		t.Errorf("the app finds %q (%v)", word, err)
	}
}
