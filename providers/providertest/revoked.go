package providertest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

func tenantsApart(ctx context.Context, h Harness) error {
	return h.with(ctx, func(a *tenant) error {
		return h.with(ctx, func(b *tenant) error {
			_, _, sa, err := a.bound(ctx)
			if err != nil {
				return err
			}
			defer sa.Close()
			_, _, sb, err := b.bound(ctx)
			if err != nil {
				return err
			}
			defer sb.Close()
			if err := sa.Put(ctx, "secret", "of a"); err != nil {
				return err
			}
			if got, _ := sb.Get(ctx, "secret"); got != "" {
				return errs("a tenant reads another's data")
			}
			if err := sb.Put(ctx, "mine", "of b"); err != nil {
				return err
			}
			keys, err := sb.Keys(ctx)
			if err != nil || slices.Contains(keys, "secret") {
				return errs("a tenant lists another's data: %v, %v", keys, err)
			}
			if got, err := sa.Get(ctx, "secret"); err != nil || got != "of a" {
				return errs("a tenant's data was harmed by another: %q, %v", got, err)
			}
			return nil
		})
	})
}

func trespassRefused(ctx context.Context, h Harness) error {
	if h.Trespass == nil {
		return NotOffered("nobody here knows what to try at a backend of this kind")
	}
	return h.with(ctx, func(a *tenant) error {
		return h.with(ctx, func(b *tenant) error {
			_, theirs, s, err := a.bound(ctx)
			if err != nil {
				return err
			}
			defer s.Close()
			if err := s.Put(ctx, "secret", "of a"); err != nil { // what is tried to be reached is there
				return err
			}
			binding := newBinding()
			mine, err := b.bind(ctx, &binding)
			if err != nil {
				return err
			}
			way, err := h.Trespass(ctx, mine, theirs)
			if err != nil {
				return errs("another's instance could not be tried: %w", err)
			}
			if way != "" {
				return errs("a tenant's login gets where it must not: %s", way)
			}
			if got, err := s.Get(ctx, "secret"); err != nil || got != "of a" {
				return errs("a tenant's data was harmed by another: %q, %v", got, err)
			}
			return nil
		})
	})
}

func revokedLogin(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		b, credentials, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		s.Close() // the app is gone: nothing is connected
		if err := t.unbind(ctx, b); err != nil {
			return err
		}
		return h.refused(ctx, credentials, "after Unbind")
	})
}

func revokedSession(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		b, _, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := t.unbind(ctx, b); err != nil {
			return err
		}
		return dies(ctx, s)
	})
}

// rounds are how often revoked_in_time takes access away.
const rounds = 5

func revokedInTime(ctx context.Context, h Harness) error {
	if h.company {
		return errCompany // what others do would be measured, too
	}
	return h.with(ctx, func(t *tenant) error {
		for range rounds {
			b, _, s, err := t.bound(ctx)
			if err != nil {
				return err
			}
			_, err = s.Get(ctx, "anything")
			if err == nil {
				err = t.unbind(ctx, b)
			}
			began := time.Now()
			err = errors.Join(err, dies(ctx, s))
			if h.revoked != nil {
				*h.revoked = append(*h.revoked, time.Since(began))
			}
			s.Close()
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func revokedClinging(ctx context.Context, h Harness) error {
	if h.Cling == nil {
		return NotOffered("nobody here knows how an app clings to a backend of this kind")
	}
	return h.with(ctx, func(t *tenant) error {
		b, credentials, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Put(ctx, "kept", "yes"); err != nil {
			return err
		}
		if err := h.Cling(ctx, s); err != nil {
			return err
		}
		if err := t.unbind(ctx, b); err != nil {
			return err
		}
		if err := errors.Join(dies(ctx, s), h.refused(ctx, credentials, "after Unbind")); err != nil {
			return err
		}
		_, _, other, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer other.Close()
		if got, err := other.Get(ctx, "kept"); err != nil || got != "yes" {
			return errs("the data went with the binding: %q, %v", got, err)
		}
		return nil
	})
}

// knocking logs in again and again until told to stop, and keeps what it opened.
type knocking struct {
	stop   chan struct{}
	opened chan struct{} // closed with the first session
	wg     sync.WaitGroup
	mu     sync.Mutex
	open   []Session
}

func knock(ctx context.Context, h Harness, credentials map[string]any) *knocking {
	k := &knocking{stop: make(chan struct{}), opened: make(chan struct{})}
	for range 4 {
		k.wg.Go(func() {
			for ctx.Err() == nil {
				select {
				case <-k.stop:
					return
				default:
				}
				if s, err := h.Login(ctx, credentials); err == nil {
					k.keep(s)
				}
			}
		})
	}
	return k
}

// keep takes a session in, and lets the eldest go when there are more than two.
func (k *knocking) keep(s Session) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.open = append(k.open, s); len(k.open) == 1 {
		select {
		case <-k.opened:
		default:
			close(k.opened)
		}
	}
	if len(k.open) > 2 {
		k.open[0].Close()
		k.open = k.open[1:]
	}
}

func revokedWhileConnecting(ctx context.Context, h Harness) error {
	return h.with(ctx, func(t *tenant) error {
		for range 3 {
			b := newBinding()
			credentials, err := t.bind(ctx, &b)
			if err != nil {
				return err
			}
			k := knock(ctx, h, credentials)
			select {
			case <-k.opened:
			case <-ctx.Done():
				err = ctx.Err()
			}
			err = errors.Join(err, t.unbind(ctx, &b))
			close(k.stop)
			var late error
			k.wg.Go(func() { late = h.refused(ctx, credentials, "after Unbind") }) // while the last ones that knock are turned away
			k.wg.Wait()
			for _, s := range k.open {
				err = errors.Join(err, dies(ctx, s))
				s.Close()
			}
			if err = errors.Join(err, late); err != nil {
				return err
			}
		}
		return nil
	})
}
