package providertest

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/sutlerhq/sutler/providers"
)

// oddTexts are what people call things, and what a seed may be: nothing of it may be taken for anything but text.
func oddTexts() []string {
	return []string{`'; DROP DATABASE postgres; -- '"\;:@/%s$1?#[]{{.}}` + "`", "größe 数据库 🐘 \u202e\r\n\t", strings.Repeat("x", 200)}
}

func oddNames(ctx context.Context, h Harness) error {
	before, err := h.Leftovers(ctx)
	if err != nil {
		return err
	}
	texts := oddTexts()
	wrong := make([]error, len(texts))
	var wg sync.WaitGroup
	for n, text := range texts { // at once: a server may take its time to refuse a login
		wg.Go(func() {
			if err := oddName(ctx, h, text); err != nil {
				wrong[n] = errs("%q: %w", text, err)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(wrong...); err != nil {
		return err
	}
	return h.same(ctx, before)
}

func oddName(ctx context.Context, h Harness, text string) (err error) {
	t := h.instance(h.fresh())
	t.Owner = providers.Owner{Org: text, Project: text}
	defer func() { err = errors.Join(err, t.deprovision(ctx)) }()
	if err := t.provision(ctx); err != nil {
		return err
	}
	seed := text + strings.Repeat(".", 32)
	one, two := newBinding(), newBinding()
	one.App, one.Seed = text, []byte(seed+"a")
	two.App, two.Seed = text, []byte(seed+"b")
	ca, err := t.bind(ctx, &one)
	if err != nil {
		return err
	}
	cb, err := t.bind(ctx, &two)
	if err != nil {
		return err
	}
	if ca["password"] == cb["password"] {
		return errs("two seeds give one password")
	}
	s, err := h.Login(ctx, ca)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := s.Put(ctx, "kept", text); err != nil {
		return err
	}
	if got, err := s.Get(ctx, "kept"); err != nil || got != text {
		return errs("wrote it and read %q: %v", got, err)
	}
	if err := t.unbind(ctx, &one); err != nil {
		return err
	}
	return errors.Join(dies(ctx, s), h.refused(ctx, ca, "after Unbind"))
}
