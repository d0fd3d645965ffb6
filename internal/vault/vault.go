package vault

import (
	"context"
	"errors"
	"io"
	"regexp"
)

// ErrAbsent is wrapped when there is nothing under a name.
var ErrAbsent = errors.New("nothing is kept under this name")

// Vault keeps streams by name. Names are letters, digits, "_", "-" and ".", at most 200 of them. It is safe for use by many goroutines.
type Vault interface {
	// Write keeps all of from, whole or, when it or the writing fails, not at all; what was there before is replaced. It gives the number of bytes.
	Write(ctx context.Context, name string, from io.Reader) (int64, error)
	// Read opens what is kept, or gives ErrAbsent.
	Read(ctx context.Context, name string) (io.ReadCloser, error)
	// Remove ends it; what is not there is removed already.
	Remove(ctx context.Context, name string) error
}

var names = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}$`)

func check(name string) error {
	if !names.MatchString(name) {
		return errors.New("vault: a name is 1 to 200 letters, digits, dots, _ and -")
	}
	return nil
}
