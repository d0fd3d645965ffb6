package providertest

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/sutlerhq/sutler/internal/seal"
)

var errBroken = errors.New("the place where the backup is kept broke")

// damage is one way in which a backup reaches a driver other than it was written.
type damage struct {
	how  string
	from func(whole []byte) io.Reader
}

// damages are what the market itself can come to read: a stream that ends early, one that breaks once and seems to have ended when it is read on, and a
// sealed one of which a byte was changed.
func damages() []damage {
	cut := func(n func(whole int) int) func([]byte) io.Reader {
		return func(whole []byte) io.Reader { return bytes.NewReader(whole[:n(len(whole))]) }
	}
	breaks := func(n func(whole int) int) func([]byte) io.Reader {
		return func(whole []byte) io.Reader { return io.MultiReader(cut(n)(whole), &once{err: errBroken}) }
	}
	return []damage{
		{"of which nothing is left", cut(func(int) int { return 0 })},
		{"of which the half is left", cut(func(n int) int { return n / 2 })},
		{"of which the last two bytes are missing", cut(func(n int) int { return n - 2 })},
		{"that breaks in the middle", breaks(func(n int) int { return n / 2 })},
		{"that breaks shortly before its end", breaks(func(n int) int { return n - 2 })},
		{"of which the first sealed byte was changed", sealedWith(func(b []byte) { b[60] ^= 1 })},
		{"of which the last sealed byte was changed", sealedWith(func(b []byte) { b[len(b)-1] ^= 1 })},
	}
}

// once fails the first time it is read, and seems to have ended after that.
type once struct{ err error }

func (o *once) Read([]byte) (int, error) {
	err := o.err
	if err == nil {
		err = io.EOF
	}
	o.err = nil
	return 0, err
}

// sealedWith seals a backup as the market does, harms it, and reads it as the market does.
func sealedWith(harm func(sealed []byte)) func([]byte) io.Reader {
	return func(whole []byte) io.Reader {
		key := seal.NewStreamKey()
		var sealed bytes.Buffer
		w, err := seal.Writer(key, "backup", &sealed)
		if err != nil {
			return &once{err: err}
		}
		if _, err = w.Write(whole); err == nil {
			err = w.Close()
		}
		if err != nil {
			return &once{err: err}
		}
		harm(sealed.Bytes())
		r, err := seal.Reader(key, "backup", &sealed)
		if err != nil {
			return &once{err: err}
		}
		return r
	}
}

func backupDamaged(ctx context.Context, h Harness) error {
	return h.withBackup(ctx, func(_ *tenant, _ Session, whole []byte) error {
		for _, d := range damages() {
			err := h.with(ctx, func(target *tenant) error { // what is left of a failed Restore is removed with its instance
				if err := h.Provider.Restore(ctx, target.Instance, d.from(whole)); err == nil {
					return errs("a backup %s was restored, and nothing was said", d.how)
				}
				return ctx.Err()
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
