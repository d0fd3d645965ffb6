package conf

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/sutlerhq/sutler/internal/seal"
)

// Secret is configured text that may not be shown: "${ENV}" anywhere in it is replaced by the environment's value, "file:path" is the
// file's content without the newline at its end.
type Secret struct {
	seal.Secret
	warning string
}

// Warning says what is unwise about where the secret is kept; empty when nothing is.
func (s Secret) Warning() string { return s.warning }

// Set tells whether there is one.
func (s Secret) Set() bool { return s.Secret != "" }

// UnmarshalText resolves where the secret is. No error holds a part of it.
func (s *Secret) UnmarshalText(b []byte) error {
	text := string(b)
	if path, ok := strings.CutPrefix(text, "file:"); ok {
		return s.file(path)
	}
	if !strings.Contains(text, "${") {
		*s = Secret{Secret: seal.Secret(text)}
		if secretIn(text) {
			s.warning = "is written in clear; use ${NAME} for a variable of the environment, or file:PATH"
		}
		return nil
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		out.WriteString(before)
		if !found {
			*s = Secret{Secret: seal.Secret(out.String())}
			return nil
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return errors.New("has a ${ that is not closed")
		}
		value, set := os.LookupEnv(name)
		if !set || value == "" {
			return fmt.Errorf("the environment variable %s is not set", name)
		}
		out.WriteString(value)
		text = after
	}
}

// secretIn tells whether the text itself is worth hiding: an address without a password is not.
func secretIn(text string) bool {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || (u.Host == "" && u.Path == "") {
		return true
	}
	_, password := u.User.Password()
	return password
}

func (s *Secret) file(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("the file %s cannot be read: %w", path, errors.Unwrap(err))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("the file %s cannot be read: %w", path, errors.Unwrap(err))
	}
	*s = Secret{Secret: seal.Secret(strings.TrimRight(string(b), "\r\n"))}
	if info.Mode().Perm()&0o007 != 0 {
		s.warning = fmt.Sprintf("the file %s may be read by others (mode %04o); run: chmod o-rwx %s", path, info.Mode().Perm(), path)
	}
	return nil
}
