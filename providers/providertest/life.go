package providertest

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/providers"
)

func provisionAgain(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		before, err := h.Leftovers(ctx)
		if err != nil {
			return err
		}
		if err := t.provision(ctx); err != nil {
			return err
		}
		forgetful := h.instance(t.ID) // lost its State
		if err := forgetful.provision(ctx); err != nil {
			return err
		}
		return h.same(ctx, before)
	})
}

// atOnce runs f four times at once and joins what went wrong.
func atOnce(f func() error) error {
	results := make(chan error, 4)
	for range cap(results) {
		go func() { results <- f() }()
	}
	var all error
	for range cap(results) {
		all = errors.Join(all, <-results)
	}
	return all
}

func provisionAtOnce(ctx context.Context, h Harness) error {
	before, err := h.Leftovers(ctx)
	if err != nil {
		return err
	}
	id := h.fresh()
	made := atOnce(func() error { return h.instance(id).provision(ctx) })
	return errors.Join(made, h.instance(id).deprovision(ctx), h.same(ctx, before))
}

func inspectHonest(ctx context.Context, h Harness) error {
	if !h.Provider.Can(providers.Inspects) {
		return NotOffered("the driver cannot look at an instance")
	}
	var kept *tenant
	err := h.with(ctx, func(t *tenant) error {
		kept = t
		in, err := h.Provider.Inspect(ctx, t.Instance)
		if err == nil && !in.Exists {
			err = errs("Provision said done and Inspect finds nothing")
		}
		return err
	})
	if err != nil {
		return err
	}
	in, err := h.Provider.Inspect(ctx, kept.Instance)
	if err == nil && in.Exists {
		err = errs("Deprovision said done and Inspect still finds it")
	}
	return err
}

func deprovisionUnknown(ctx context.Context, h Harness) error {
	return h.instance(h.fresh()).deprovision(ctx)
}

func deprovisionAgain(ctx context.Context, h Harness) error {
	var kept *tenant
	if err := h.with(ctx, func(t *tenant) error { kept = t; return nil }); err != nil {
		return err
	}
	return errors.Join(kept.deprovision(ctx), h.instance(kept.ID).deprovision(ctx))
}

func deprovisionHalfMade(ctx context.Context, h Harness) error {
	before, err := h.Leftovers(ctx)
	if err != nil {
		return err
	}
	for _, after := range []time.Duration{0, time.Millisecond, 5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond} {
		t := h.instance(h.fresh())
		short, cancel := context.WithTimeout(ctx, after)
		p, _ := h.Provider.Provision(short, t.Instance) // broken off: whether it failed does not matter
		cancel()
		t.State = p.State
		if err := t.deprovision(ctx); err != nil {
			return err
		}
	}
	return h.same(ctx, before)
}

func deprovisionBound(ctx context.Context, h Harness) error {
	var credentials map[string]any
	var open Session
	err := h.with(ctx, func(t *tenant) (err error) {
		_, credentials, open, err = t.bound(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer open.Close()
	return errors.Join(dies(ctx, open), h.refused(ctx, credentials, "after the instance was removed"))
}

func lateProvision(ctx context.Context, h Harness) error {
	before, err := h.Leftovers(ctx)
	if err != nil {
		return err
	}
	first := h.instance(h.fresh())
	err = h.with(ctx, func(t *tenant) error {
		first = h.instance(t.ID)
		_, _, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Put(ctx, "kept", "yes"); err != nil {
			return err
		}
		if _, err := h.Provider.Provision(ctx, first.Instance); err != nil {
			return err
		}
		if got, err := s.Get(ctx, "kept"); err != nil || got != "yes" {
			return errs("a late Provision on a live instance took its data: %q, %v", got, err)
		}
		return lateOnSuspended(ctx, h, t)
	})
	if err != nil {
		return err
	}
	late, _ := h.Provider.Provision(ctx, first.Instance) // it lands after Deprovision; it may refuse or make the instance anew
	first.State = late.State
	return errors.Join(first.deprovision(ctx), h.same(ctx, before))
}

func lateProvisionFound(ctx context.Context, h Harness) error {
	lists, inspects := h.Provider.Can(providers.Lists), h.Provider.Can(providers.Inspects)
	if !lists && !inspects {
		return NotOffered("the driver can neither list nor look at what it made")
	}
	before, err := h.Leftovers(ctx)
	if err != nil {
		return err
	}
	gone := h.instance(h.fresh())
	if err := errors.Join(gone.provision(ctx), gone.deprovision(ctx)); err != nil {
		return err
	}
	late := h.instance(gone.ID) // frozen in flight, it knows of no State
	landed := late.provision(ctx) == nil
	found, err := late.found(ctx, lists, inspects)
	if err == nil && landed && !found {
		err = errs("a Provision landed after Deprovision and is seen nowhere")
	}
	late.State = nil // reconcile knows the id alone
	if err := errors.Join(err, late.deprovision(ctx)); err != nil {
		return err
	}
	if found, err := late.found(ctx, lists, inspects); err != nil || found {
		return errs("a late Provision is still seen after it was removed: %v", err)
	}
	return h.same(ctx, before)
}

// found tells whether every way to look at the backend shows the instance; that they do not agree is an error.
func (t *tenant) found(ctx context.Context, lists, inspects bool) (bool, error) {
	var seen []bool
	if lists {
		names, err := t.h.Provider.List(ctx)
		if err != nil {
			return false, err
		}
		seen = append(seen, slices.Contains(names, t.h.Provider.NameOf(t.ID)))
	}
	if inspects {
		in, err := t.h.Provider.Inspect(ctx, t.Instance)
		if err != nil {
			return false, err
		}
		seen = append(seen, in.Exists)
	}
	if slices.Contains(seen, !seen[0]) {
		return false, errs("List and Inspect do not agree")
	}
	return seen[0], nil
}

// lateOnSuspended checks that a Provision which lands late opens no suspended instance.
func lateOnSuspended(ctx context.Context, h Harness, t *tenant) error {
	if !h.Provider.Can(providers.Suspends) {
		return nil
	}
	_, credentials, s, err := t.bound(ctx)
	if err != nil {
		return err
	}
	s.Close()
	if err := t.suspend(ctx); err != nil {
		return err
	}
	if _, err := h.Provider.Provision(ctx, h.instance(t.ID).Instance); err != nil {
		return err
	}
	return h.refused(ctx, credentials, "because a late Provision opened a suspended instance")
}

func (t *tenant) suspend(ctx context.Context) error {
	return until(ctx, "suspend", &t.State, func() (providers.Progress, error) { return t.h.Provider.Suspend(ctx, t.Instance) })
}

func (t *tenant) resume(ctx context.Context) error {
	return until(ctx, "resume", &t.State, func() (providers.Progress, error) { return t.h.Provider.Resume(ctx, t.Instance) })
}

func stateSurvives(ctx context.Context, h Harness) error {
	if h.Reopen == nil {
		return NotOffered("there is no other process to go on in")
	}
	return h.with(ctx, func(t *tenant) error {
		b := newBinding()
		first, err := t.bind(ctx, &b)
		if err != nil {
			return err
		}
		later, err := h.Reopen(ctx)
		if err != nil {
			return err
		}
		h2 := h
		h2.Provider = later
		t2 := &tenant{h: h2, Instance: t.Instance}
		second, err := t2.bind(ctx, &b)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(first, second) {
			return errs("a new process gives other credentials for the same binding")
		}
		s, err := h.Login(ctx, second)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := t2.unbind(ctx, &b); err != nil {
			return err
		}
		return errors.Join(dies(ctx, s), h.refused(ctx, first, "after a new process unbound it"), t2.deprovision(ctx))
	})
}

func oddIDs(ctx context.Context, h Harness) error {
	before, err := h.Leftovers(ctx)
	if err != nil {
		return err
	}
	own, long := h.prefix(), strings.Repeat("x", 200)
	for _, pair := range [][2]string{
		{own + `_'; DROP DATABASE postgres; --`, own + `_"; DROP DATABASE postgres; --`},
		{own + "_größe 数据库 🐘", own + "_größe 数据库 🐙"},
		{own + long + "a", own + long + "b"},
		{own + "_Case", own + "_case"},
		{own + "/../../x", own + ".*.>"},
		{own + `\`, own + `%s%d`},
	} {
		if err := oddPair(ctx, h, pair); err != nil {
			return errs("ids %q: %w", pair, err)
		}
	}
	return h.same(ctx, before)
}

func oddPair(ctx context.Context, h Harness, pair [2]string) (err error) {
	a, b := h.instance(pair[0]), h.instance(pair[1])
	defer func() { err = errors.Join(err, a.deprovision(ctx), b.deprovision(ctx)) }()
	if err := errors.Join(a.provision(ctx), b.provision(ctx)); err != nil {
		return err
	}
	one, two := newBinding(), newBinding()
	one.ID, two.ID = "bnd"+pair[0], "bnd"+pair[1]
	ca, err := a.bind(ctx, &one)
	if err != nil {
		return err
	}
	cb, err := b.bind(ctx, &two)
	if err != nil {
		return err
	}
	if ca["username"] == cb["username"] {
		return errs("two bindings share a login")
	}
	s, err := h.Login(ctx, ca)
	if err != nil {
		return err
	}
	defer s.Close()
	return b.unbind(ctx, &two)
}

func nothingLeft(ctx context.Context, h Harness) error {
	before, err := h.Leftovers(ctx)
	if err != nil {
		return err
	}
	err = h.with(ctx, func(t *tenant) error {
		gone, _, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Put(ctx, "x", "y"); err != nil {
			return err
		}
		if err := t.unbind(ctx, gone); err != nil {
			return err
		}
		_, _, stays, err := t.bound(ctx) // never unbound: it goes with the instance
		if err != nil {
			return err
		}
		stays.Close()
		return nil
	})
	return errors.Join(err, h.same(ctx, before))
}
