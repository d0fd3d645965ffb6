package main

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/web/client"
)

// converge waits until the case is where it has to end, and nothing is under way any more.
func (l *lane) converge(t *testing.T, p *process, c crashCase) {
	t.Helper()
	switch {
	case c.applied():
		l.follow(t, p, c)
	case c.interrupts(): // the delete was not accepted, so what it was to interrupt comes to its end
		l.follow(t, p, crashCase{want: c.want, verb: map[string]string{"halt": "provision", "overtake": "update"}[c.verb], point: "none"})
	}
	p.await(t, "rest", func() bool {
		return l.count(t, "SELECT count(*) FROM operations WHERE live = 1") == 0 && l.count(t, "SELECT count(*) FROM tasks WHERE kind IN ('operation', 'backup')") == 0
	})
}

// place is where the lane's things are.
func (*lane) place() client.Place { return client.Place{Org: devOrg, Project: devProject} }

// follow waits for the end of an intent that had committed, and takes note of it.
func (l *lane) follow(t *testing.T, p *process, c crashCase) {
	t.Helper()
	switch c.verb {
	case "provision":
		l.followBirth(t, p)
	case "restore":
		l.followRestore(t, p, c)
	case "backup":
		l.followCopy(t, p)
	case "suspend", "resume":
		l.followSuspension(t, p, c.verb == "suspend")
	case "update":
		plan := otherPlan(l.instance.Plan)
		l.await(t, p, func() error {
			i, err := l.client().Instance(t.Context(), l.place(), l.instance.ID)
			return not(err, i.State == "ready" && i.Plan == plan, i.State+" "+i.Plan+" "+i.Note)
		})
		l.instance.Plan = plan
		l.changes++
	case "bind":
		l.await(t, p, func() error {
			list, err := l.client().Bindings(t.Context(), l.place(), l.instance.ID, "")
			if err != nil || len(list) != 1 {
				return errors.Join(err, errors.New("no binding"))
			}
			if list[0].State == "ready" {
				l.binding, err = l.client().Credentials(t.Context(), list[0].ID)
			}
			return not(err, list[0].State == "ready", list[0].State+" "+list[0].Note)
		})
	case "rotate", "expire":
		l.followRotation(t, p)
	case "unbind":
		l.awaitNoBinding(t, p)
	case "halt":
		l.halted++
	case "deprovision", "overtake":
		l.await(t, p, func() error {
			i, err := l.client().Instance(t.Context(), l.place(), l.instance.ID)
			return not(gone(err), err != nil || i.State == "gone", i.State+" "+i.Note)
		})
		l.awaitNoBinding(t, p)
		l.instance, l.restored = client.Instance{}, false
	}
}

func (l *lane) followBirth(t *testing.T, p *process) {
	t.Helper()
	l.await(t, p, func() error {
		list, err := l.client().Instances(t.Context(), l.place())
		if err != nil || len(list) != 1 {
			return errors.Join(err, errors.New("no instance"))
		}
		l.instance = list[0]
		return not(nil, l.instance.State == "ready", l.instance.State+" "+l.instance.Note)
	})
	l.born++
}

func (l *lane) awaitNoBinding(t *testing.T, p *process) {
	t.Helper()
	if l.binding.ID == "" {
		return
	}
	l.await(t, p, func() error {
		b, err := l.client().Binding(t.Context(), l.binding.ID)
		return not(gone(err), err != nil || b.State == "gone", b.State+" "+b.Note)
	})
	l.ended, l.binding = l.binding.Credentials, client.Binding{}
}

// gone takes the answers for what is not there any more as no error.
func gone(err error) error {
	if e, ok := errors.AsType[*client.Error](err); ok && (e.Status == http.StatusNotFound || e.Status == http.StatusGone) {
		return nil
	}
	return err
}

func not(err error, ok bool, is string) error {
	if err == nil && !ok {
		err = errors.New("it is " + is)
	}
	return err
}

func (l *lane) await(t *testing.T, p *process, f func() error) {
	t.Helper()
	var err error
	p.await(t, "legal end", func() bool { err = f(); return err == nil || t.Failed() })
	if err != nil {
		t.Fatal(err)
	}
}

// check compares backend, books and operations with what the lane has.
func (l *lane) check(t *testing.T) {
	t.Helper()
	want, open, bound, held := len(l.empty), 0, 0, 0
	if l.suspended {
		held = 1
	}
	if l.instance.ID != "" {
		want, open = want+l.perInstance, 1
	}
	if l.binding.ID != "" {
		want, bound = want+l.perBinding, 1
	}
	if got := l.backend.objects(t); len(got) != want {
		t.Errorf("the backend holds %v, want %d objects", got, want)
	}
	for query, want := range map[string]int{
		"SELECT count(*) FROM intervals":                                                                               l.born + l.changes,
		"SELECT count(*) FROM intervals WHERE ended_at = 0":                                                            open,
		"SELECT count(*) FROM suspensions":                                                                             l.pauses,
		"SELECT count(*) FROM suspensions WHERE ended_at = 0":                                                          held,
		"SELECT count(*) FROM holds":                                                                                   held,
		"SELECT count(*) FROM instances WHERE state = 'suspended'":                                                     held,
		"SELECT count(*) FROM instances WHERE state <> 'gone'":                                                         open,
		"SELECT count(*) FROM instances":                                                                               l.born + l.halted,
		"SELECT count(*) FROM bindings WHERE state = 'ready'":                                                          bound,
		"SELECT count(*) FROM bindings WHERE state NOT IN ('ready', 'gone')":                                           0,
		"SELECT count(*) FROM operations WHERE live = 1 OR state <> 'succeeded' AND note <> '" + broker.Replaced + "'": 0,
	} {
		if n := l.count(t, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	if l.instance.ID != "" {
		i, err := l.client().Instance(t.Context(), l.place(), l.instance.ID)
		if err != nil || i.Plan != l.instance.Plan {
			t.Errorf("the plan is %q, want %q (%v)", i.Plan, l.instance.Plan, err)
		}
	}
	l.checkCopies(t)
	if b, ok := l.backend.(fakeBackend); ok && l.instance.ID != "" && !l.restored && b.Made(l.instance.ID) != 1 {
		t.Errorf("the backend made the instance %d times", b.Made(l.instance.ID))
	}
	if l.binding.ID != "" {
		if err := l.backend.login(l.binding.Credentials); (err == nil) == l.suspended {
			t.Errorf("suspended is %t, and the credentials say %v", l.suspended, err)
		}
	}
	if l.ended != nil && l.backend.login(l.ended) == nil {
		t.Error("the credentials of an ended binding let in")
	}
}

// prepare brings the lane to where a case begins: nothing for a provision, an instance for a bind, both for the ends.
func (l *lane) prepare(t *testing.T, p *process, c crashCase) {
	t.Helper()
	clean := func(verb string) {
		t.Helper()
		step := crashCase{want: c.want, verb: verb, point: "none"}
		l.ask(t, p, step)
		l.converge(t, p, step)
	}
	wrongPlan := l.instance.ID != "" && !strings.HasSuffix(c.want, ":"+l.instance.Plan)
	creates := c.verb == "provision" || c.verb == "halt" || c.verb == "restore"
	if l.suspended && (c.verb != "resume" || wrongPlan) {
		clean("resume")
	}
	if l.instance.ID != "" && (creates || wrongPlan || l.restored) {
		clean("deprovision")
	}
	if creates {
		return
	}
	if l.instance.ID == "" {
		clean("provision")
	}
	if c.verb != "bind" && c.verb != "update" && c.verb != "overtake" && l.binding.ID == "" {
		clean("bind")
	}
	if c.verb == "bind" && l.binding.ID != "" {
		clean("unbind")
	}
	if c.verb == "resume" && !l.suspended {
		clean("suspend")
	}
}
