package providertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/providers"
)

// NotOffered is what a check gives that does not apply: the driver, or the harness, lacks what it is about. It says why.
type NotOffered string

// Error gives the reason.
func (n NotOffered) Error() string { return "not offered: " + string(n) }

// Result is how one check went.
type Result struct {
	Name, What string
	Err        error  // nil: passed, or not offered
	NotOffered string // why the check does not apply; empty: it does
	Took       time.Duration
	Revoked    []time.Duration // how long each open connection lived after Unbind had returned
}

// Passed tells whether the check applies and the driver does what it says.
func (r Result) Passed() bool { return r.Err == nil && r.NotOffered == "" }

// Try runs the check and tells how it went.
func (c Check) Try(ctx context.Context, h Harness) Result {
	r := Result{Name: c.Name, What: c.What}
	h.revoked = &r.Revoked
	began := time.Now()
	r.Err = c.Run(ctx, h)
	r.Took = time.Since(began)
	if why, not := errors.AsType[NotOffered](r.Err); not {
		r.Err, r.NotOffered = nil, string(why)
	}
	return r
}

// Report runs all checks one after the other, each with this deadline.
func Report(ctx context.Context, h Harness, deadline time.Duration) []Result {
	var list []Result
	for _, c := range Checks() {
		one, cancel := context.WithTimeout(ctx, deadline)
		list = append(list, c.Try(one, h))
		cancel()
	}
	return list
}

// Tester is what Conform needs of a *testing.T: a package that a program may link does not import testing.
type Tester[T any] interface {
	Helper()
	Context() context.Context
	Run(name string, f func(T)) bool
	Error(args ...any)
	Log(args ...any)
}

// Conform runs the checks as tests of their own, all or those that are named, each with this deadline. The harness is asked for by each.
func Conform[T Tester[T]](t T, deadline time.Duration, harness func(T) Harness, names ...string) []Result {
	t.Helper()
	var list []Result
	for _, c := range chosen(names) {
		t.Run(c.Name, func(t T) {
			list = append(list, c.within(t.Context(), deadline, harness(t)))
			report(t, list[len(list)-1])
		})
	}
	return list
}

// together is how many checks ConformTogether runs at once.
const together = 8

// ConformTogether is Conform for servers that let one wait, of which several can wait at once. Checks that must have the backend to themselves
// run after the others, one by one.
func ConformTogether[T Tester[T]](t T, deadline time.Duration, h Harness, names ...string) []Result {
	t.Helper()
	checks := chosen(names)
	list := make([]Result, len(checks))
	turn := make(chan struct{}, together)
	var wg sync.WaitGroup
	for n, c := range checks {
		wg.Go(func() {
			turn <- struct{}{}
			list[n] = c.within(t.Context(), deadline, h.inCompany())
			<-turn
		})
	}
	wg.Wait()
	for n, c := range checks {
		t.Run(c.Name, func(t T) {
			if errors.Is(list[n].Err, errCompany) {
				list[n] = c.within(t.Context(), deadline, h)
			}
			report(t, list[n])
		})
	}
	return list
}

func chosen(names []string) []Check {
	return slices.DeleteFunc(Checks(), func(c Check) bool { return len(names) > 0 && !slices.Contains(names, c.Name) })
}

func (c Check) within(ctx context.Context, deadline time.Duration, h Harness) Result {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	return c.Try(ctx, h)
}

func report[T Tester[T]](t T, r Result) {
	t.Helper()
	switch {
	case r.Err != nil:
		t.Error(r.Err)
	case r.NotOffered != "":
		t.Log("not offered: ", r.NotOffered)
	}
}

// errCompany ends a check that asks for what only one alone may have.
var errCompany = errors.New("this check wants the backend to itself")

// inCompany is the harness for a check beside others: everything at the backend is not the check's to look at, or to start again.
func (h Harness) inCompany() Harness {
	refuse := func(context.Context, providers.Instance) error { return errCompany }
	h.company = true
	h.Leftovers = func(context.Context) ([]string, error) { return nil, errCompany }
	if h.Reset != nil {
		h.Reset = refuse
	}
	if h.Restart != nil {
		h.Restart = refuse
	}
	return h
}
