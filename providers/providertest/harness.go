package providertest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/providers"
)

// Session is an open connection of an app to its backend.
type Session interface {
	// Put keeps a value under a key, Get gives it ("" when there is none), Keys lists all keys that can be seen.
	Put(ctx context.Context, key, value string) error
	Get(ctx context.Context, key string) (string, error)
	Keys(ctx context.Context) ([]string, error)
	Close()
}

// Harness is what the suite needs to know of a driver.
type Harness struct {
	Bench
	Provider *providers.Provider
	Plan     catalog.Plan // that instances are made of; bindable
	Other    catalog.Plan // that they can be changed to; zero: none

	// Leftovers lists everything at the backend that instances and bindings leave, whosoever they are.
	Leftovers func(ctx context.Context) ([]string, error)
	// Reopen gives the provider as a new process would see it. Optional.
	Reopen func(ctx context.Context) (*providers.Provider, error)
	// Reset throws the backend's counters away, and Restart starts its server again. Optional.
	Reset, Restart func(ctx context.Context, i providers.Instance) error
	// Use does n things that are counted; by writing through a session when it is nil.
	Use func(ctx context.Context, i providers.Instance, n int) error
	// Overfill lets an app pass, for certain, a limit of Tight that the driver watches. Optional.
	Overfill func(ctx context.Context, i providers.Instance, s Session) error
	Tight    catalog.Plan // whose watched limit is passed; zero: Plan

	Prefix string          // that the ids of all instances begin with; default: ins
	Made   func(id string) // hears the id of every instance before it is asked for, so that what a broken driver left can be removed. Optional

	revoked *[]time.Duration // where revocation times go
	company bool             // other checks are under way
}

// Check is one thing that a driver must do.
type Check struct {
	Name string // lower_case, stable: reports refer to it
	What string // one sentence for people
	Run  func(ctx context.Context, h Harness) error
}

// errs says what a driver did wrong.
func errs(format string, a ...any) error { return fmt.Errorf(format, a...) }

// tenant is an instance under test.
type tenant struct {
	h Harness
	providers.Instance
}

func (h Harness) instance(id string) *tenant {
	if h.Made != nil {
		h.Made(id)
	}
	return &tenant{h: h, Instance: providers.Instance{
		ID: id, Plan: h.Plan, Params: json.RawMessage(`{}`), Owner: providers.Owner{Org: "org_check", Project: "prj_check"},
	}}
}

func (h Harness) prefix() string { return cmp.Or(h.Prefix, "ins") }

// fresh is an id that no instance has had.
func (h Harness) fresh() string { return ids.New(h.prefix()) }

// with makes an instance, runs f on it, and removes it whatever f said.
func (h Harness) with(ctx context.Context, f func(t *tenant) error) (err error) {
	t := h.instance(h.fresh())
	defer func() { err = errors.Join(err, t.deprovision(ctx)) }()
	if err := t.provision(ctx); err != nil {
		return err
	}
	return f(t)
}

// until asks again until Done, keeping State as the broker does. What passes is tried again, anything else ends it.
func until(ctx context.Context, verb string, state *json.RawMessage, step func() (providers.Progress, error)) error {
	for range 400 {
		p, err := step()
		if p.State != nil {
			*state = p.State
		}
		if err == nil && p.Done {
			return nil
		}
		if err != nil && !passes(err) {
			return fmt.Errorf("%s: %w (%w)", verb, err, cmp.Or(errors.Unwrap(err), err))
		}
		pause := time.NewTimer(max(p.RetryAfter, 20*time.Millisecond))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("%s: not done in time: %w", verb, errors.Join(err, ctx.Err()))
		}
	}
	return errs("%s: asked 400 times and still not done", verb)
}

// passes tells whether a failure is one that goes away by itself: the backend is not there, or something is in the way.
func passes(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Timeout, fault.Busy:
		return true
	}
	return false
}

func (t *tenant) provision(ctx context.Context) error {
	return until(ctx, "provision", &t.State, func() (providers.Progress, error) { return t.h.Provider.Provision(ctx, t.Instance) })
}

// deprovision is asked for when the check was given up, too: nothing may stay.
func (t *tenant) deprovision(ctx context.Context) error {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return until(ctx, "deprovision", &t.State, func() (providers.Progress, error) { return t.h.Provider.Deprovision(ctx, t.Instance) })
}

// Remove removes an instance that a check made, whatever became of it. What is gone is no error.
func (h Harness) Remove(ctx context.Context, id string) error { return h.instance(id).deprovision(ctx) }

func newBinding() providers.Binding {
	seed, _ := json.Marshal(ids.New("seed")) // of a string: cannot fail
	return providers.Binding{ID: ids.New("bnd"), App: "app_check", Params: json.RawMessage(`{}`), Seed: seed}
}

func (t *tenant) bind(ctx context.Context, b *providers.Binding) (map[string]any, error) {
	var grant providers.Grant
	err := until(ctx, "bind", &b.State, func() (p providers.Progress, err error) {
		grant, p, err = t.h.Provider.Bind(ctx, t.Instance, *b)
		return p, err
	})
	return grant.Credentials, err
}

func (t *tenant) unbind(ctx context.Context, b *providers.Binding) error {
	return until(ctx, "unbind", &b.State, func() (providers.Progress, error) { return t.h.Provider.Unbind(ctx, t.Instance, *b) })
}

// bound makes a binding and logs in with it.
func (t *tenant) bound(ctx context.Context) (*providers.Binding, map[string]any, Session, error) {
	b := newBinding()
	credentials, err := t.bind(ctx, &b)
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := t.h.Login(ctx, credentials)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("the credentials of a fresh binding do not work: %w", err)
	}
	return &b, credentials, s, nil
}

// dies waits for an open session to stop answering, 5 s at most.
func dies(ctx context.Context, s Session) error {
	began := time.Now()
	for time.Since(began) < 5*time.Second {
		one, cancel := context.WithTimeout(ctx, time.Second)
		_, err := s.Get(one, "anything")
		cancel()
		if err != nil {
			return nil
		}
		pause := time.NewTimer(20 * time.Millisecond)
		<-pause.C
	}
	return errs("an open connection still answers 5 s after its access was taken away")
}

// refused expects a login to fail.
func (h Harness) refused(ctx context.Context, credentials map[string]any, when string) error {
	s, err := h.Login(ctx, credentials)
	if err != nil {
		return nil
	}
	s.Close()
	return errs("a login works %s", when)
}

// same expects the backend to hold what it held before.
func (h Harness) same(ctx context.Context, before []string) error {
	after, err := h.Leftovers(ctx)
	if err != nil {
		return err
	}
	var extra []string
	for _, name := range after {
		if !slices.Contains(before, name) {
			extra = append(extra, name)
		}
	}
	if len(extra) > 0 {
		return errs("left behind: %v", extra)
	}
	return nil
}
