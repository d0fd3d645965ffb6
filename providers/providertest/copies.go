package providertest

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/providers"
)

// texts are values that copying, quoting and counting must not change.
func texts() map[string]string {
	return map[string]string{
		"plain": "yes", "quoted": `it's "quoted" \ ; -- %s $1`, "worldly": "größe 数据库 🐘", "lines": "one\ntwo\r\n\tthree", "long": strings.Repeat("long ", 4000),
	}
}

// write puts the texts into an instance and expects to read them again.
func write(ctx context.Context, s Session) error {
	for _, key := range slices.Sorted(maps.Keys(texts())) {
		if err := s.Put(ctx, key, texts()[key]); err != nil {
			return err
		}
	}
	return reads(ctx, s)
}

func reads(ctx context.Context, s Session) error {
	for key, value := range texts() {
		if got, err := s.Get(ctx, key); err != nil || got != value {
			return errs("of %q, %d bytes are read as %d, or other ones: %v", key, len(value), len(got), err)
		}
	}
	return nil
}

func countsAgree(ctx context.Context, h Harness) error {
	if !h.Provider.Can(providers.Counts) {
		return NotOffered("the driver counts nothing")
	}
	return h.with(ctx, func(t *tenant) error {
		_, _, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		empty, err := h.Provider.Count(ctx, t.Instance)
		if err != nil {
			return err
		}
		if err := errors.Join(write(ctx, s), write(ctx, s)); err != nil { // the second time changes and adds nothing
			return err
		}
		full, err := h.Provider.Count(ctx, t.Instance)
		if err != nil || !grew(empty, full, len(texts())) {
			return errs("an app wrote %d, and Count went from %v to %v: %v", len(texts()), empty, full, err)
		}
		if h.Provider.Can(providers.Suspends) {
			if err := t.suspend(ctx); err != nil {
				return err
			}
		}
		if again, err := h.Provider.Count(ctx, t.Instance); err != nil || !maps.Equal(again, full) {
			return errs("Count says %v, and then %v of the same data: %v", full, again, err)
		}
		return nil
	})
}

// grew tells whether one of the counts became larger by n: a driver may count bytes beside.
func grew(before, after map[string]int64, n int) bool {
	for what, count := range after {
		if count == before[what]+int64(n) {
			return true
		}
	}
	return false
}

// withBackup gives f an instance with data in it, a session of an app there, and its backup.
func (h Harness) withBackup(ctx context.Context, f func(source *tenant, s Session, backup []byte) error) error {
	if !h.Provider.Can(providers.BacksUp) {
		return NotOffered("the driver copies no data")
	}
	return h.with(ctx, func(source *tenant) error {
		_, _, s, err := source.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := write(ctx, s); err != nil {
			return err
		}
		var backup bytes.Buffer
		if err := h.Provider.Backup(ctx, source.Instance, &backup); err != nil {
			return err
		}
		return f(source, s, backup.Bytes())
	})
}

func backupRestores(ctx context.Context, h Harness) error {
	return h.withBackup(ctx, func(source *tenant, s Session, copied []byte) error {
		return h.with(ctx, func(target *tenant) error {
			if err := h.Provider.Restore(ctx, target.Instance, bytes.NewReader(copied)); err != nil {
				return err
			}
			if err := equalCounts(ctx, source, target); err != nil {
				return err
			}
			if err := usable(ctx, target); err != nil {
				return err
			}
			if err := reads(ctx, s); err != nil {
				return errs("the source is not what it was: %w", err)
			}
			if got, err := s.Get(ctx, "new"); err != nil || got != "" {
				return errs("the source has what was written into the copy: %q, %v", got, err)
			}
			return nil
		})
	})
}

func equalCounts(ctx context.Context, source, target *tenant) error {
	if !source.h.Provider.Can(providers.Counts) {
		return nil
	}
	one, err := source.h.Provider.Count(ctx, source.Instance)
	two, err2 := target.h.Provider.Count(ctx, target.Instance)
	if err := errors.Join(err, err2); err != nil || !maps.Equal(one, two) {
		return errs("of %v, %v was restored: %w", one, two, err)
	}
	return nil
}

// usable expects a new binding to read what was restored, to change it and to add to it.
func usable(ctx context.Context, t *tenant) error {
	_, _, s, err := t.bound(ctx)
	if err != nil {
		return err
	}
	defer s.Close()
	if err := reads(ctx, s); err != nil {
		return err
	}
	for _, key := range []string{"plain", "new"} {
		if err := s.Put(ctx, key, "changed"); err != nil {
			return errs("what was restored cannot be changed: %w", err)
		}
		if got, err := s.Get(ctx, key); err != nil || got != "changed" {
			return errs("changed what was restored and read %q: %v", got, err)
		}
	}
	return nil
}
