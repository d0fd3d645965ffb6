package providertest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"reflect"
	"strings"

	"github.com/sutlerhq/sutler/providers"
)

func bindAgain(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		b := newBinding()
		first, err := t.bind(ctx, &b)
		if err != nil {
			return err
		}
		second, err := t.bind(ctx, &b)
		if err != nil {
			return err
		}
		b.State = nil
		third, err := t.bind(ctx, &b)
		if err != nil {
			return err
		}
		if !reflect.DeepEqual(first, second) || !reflect.DeepEqual(first, third) {
			return errs("the same binding made again gives other credentials")
		}
		s, err := h.Login(ctx, first)
		if err != nil {
			return err
		}
		s.Close()
		return nil
	})
}

func bindAtOnce(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		b := newBinding()
		err := atOnce(func() error {
			mine := b
			credentials, err := t.bind(ctx, &mine)
			if err != nil {
				return err
			}
			s, err := h.Login(ctx, credentials)
			if err == nil {
				s.Close()
			}
			return err
		})
		return errors.Join(err, t.unbind(ctx, &b))
	})
}

func credentialsComplete(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		b := newBinding()
		c, err := t.bind(ctx, &b)
		if err != nil {
			return err
		}
		for _, part := range []string{"uri", "host", "port", "username", "password"} {
			if text := fmt.Sprint(c[part]); c[part] == nil || text == "" || text == "0" {
				return errs("the credentials lack %q", part)
			}
		}
		u, err := url.Parse(fmt.Sprint(c["uri"]))
		if err != nil {
			return errs("the uri is malformed")
		}
		if c["creds"] != nil && u.User == nil {
			return nil // the login is a file of its own, which no address can hold
		}
		password, _ := u.User.Password()
		for part, in := range map[string]string{"host": u.Hostname(), "port": u.Port(), "username": u.User.Username(), "password": password} {
			if fmt.Sprint(c[part]) != in {
				return errs("the uri and %q do not agree", part)
			}
		}
		return nil
	})
}

func credentialsWork(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		_, credentials, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Put(ctx, "greeting", "hello"); err != nil {
			return err
		}
		if got, err := s.Get(ctx, "greeting"); err != nil || got != "hello" {
			return errs("wrote hello, read %q: %v", got, err)
		}
		return h.refused(ctx, forged(credentials), "with a wrong password")
	})
}

// forged is credentials with another password, in every part.
func forged(credentials map[string]any) map[string]any {
	c := maps.Clone(credentials)
	right := fmt.Sprint(c["password"])
	wrong := strings.Repeat("x", len(right))
	for key, value := range c {
		if text, ok := value.(string); ok && right != "" {
			c[key] = strings.ReplaceAll(text, right, wrong)
		}
	}
	return c
}

func bindingsShare(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		_, ca, a, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer a.Close()
		_, cb, b, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer b.Close()
		if ca["username"] == cb["username"] || ca["password"] == cb["password"] {
			return errs("two bindings have one login")
		}
		if err := a.Put(ctx, "shared", "one"); err != nil {
			return err
		}
		if err := b.Put(ctx, "shared", "two"); err != nil {
			return errs("one binding cannot change what another made: %w", err)
		}
		if got, err := a.Get(ctx, "shared"); err != nil || got != "two" {
			return errs("one binding does not see what another wrote: %q, %v", got, err)
		}
		return nil
	})
}

func sessionsTold(ctx context.Context, h Harness) error {
	if !h.Provider.Can(providers.Inspects) {
		return NotOffered("the driver cannot look at an instance")
	}
	return h.with(ctx, func(t *tenant) error {
		gone, stays := newBinding(), newBinding()
		for _, b := range []*providers.Binding{&gone, &stays} {
			if _, err := t.bind(ctx, b); err != nil {
				return err
			}
		}
		t.Bindings = []string{gone.ID, stays.ID}
		if err := t.tells(ctx, t.Bindings...); err != nil {
			return err
		}
		if err := t.unbind(ctx, &gone); err != nil {
			return err
		}
		return t.tells(ctx, stays.ID)
	})
}

// tells expects Inspect to tell these bindings and no others.
func (t *tenant) tells(ctx context.Context, want ...string) error {
	in, err := t.h.Provider.Inspect(ctx, t.Instance)
	switch {
	case err != nil:
		return err
	case !in.Exists:
		return errs("Inspect does not find an instance that is there")
	case in.Sessions == nil:
		return NotOffered("the backend does not tell which bindings it has")
	}
	for _, id := range want {
		if _, there := in.Sessions[id]; !there {
			return errs("Inspect does not tell a binding that is there")
		}
	}
	if len(in.Sessions) > len(want) {
		return errs("Inspect tells %d bindings, %d are there", len(in.Sessions), len(want))
	}
	return nil
}

func unbindSparesOthers(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		gone, _, sg, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer sg.Close()
		_, credentials, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := t.unbind(ctx, gone); err != nil {
			return err
		}
		if err := s.Put(ctx, "still", "here"); err != nil {
			return errs("unbinding one app cut another's open connection: %w", err)
		}
		again, err := h.Login(ctx, credentials)
		if err != nil {
			return errs("unbinding one app shut another's login: %w", err)
		}
		again.Close()
		return nil
	})
}

func unbindUnknown(ctx context.Context, h Harness) error {
	never := newBinding()
	if err := h.instance(h.fresh()).unbind(ctx, &never); err != nil {
		return errs("of an instance that never was: %w", err)
	}
	return h.with(ctx, func(t *tenant) error { b := newBinding(); return t.unbind(ctx, &b) })
}

func unbindAgain(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		old, _, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := t.unbind(ctx, old); err != nil {
			return err
		}
		_, credentials, newer, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer newer.Close()
		forgetful := providers.Binding{ID: old.ID, Seed: old.Seed}
		if err := errors.Join(t.unbind(ctx, old), t.unbind(ctx, &forgetful)); err != nil {
			return err
		}
		again, err := h.Login(ctx, credentials)
		if err != nil {
			return errs("a late Unbind shut a newer binding: %w", err)
		}
		again.Close()
		return nil
	})
}

func lateBind(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		b, credentials, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		s.Close()
		if err := t.unbind(ctx, b); err != nil {
			return err
		}
		_, late, _ := h.Provider.Bind(ctx, t.Instance, *b) // it may refuse, or land
		if late.State != nil {
			b.State = late.State
		}
		if err := t.unbind(ctx, b); err != nil {
			return err
		}
		return h.refused(ctx, credentials, "after a late Bind was undone")
	})
}
