package providertest

import (
	"context"
	"errors"
	"slices"
	"time"
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
	for _, c := range Checks() {
		if len(names) > 0 && !slices.Contains(names, c.Name) {
			continue
		}
		t.Run(c.Name, func(t T) {
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			r := c.Try(ctx, harness(t))
			list = append(list, r)
			switch {
			case r.Err != nil:
				t.Error(r.Err)
			case r.NotOffered != "":
				t.Log("not offered: ", r.NotOffered)
			}
		})
	}
	return list
}
