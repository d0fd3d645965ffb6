package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zalando/go-keyring"

	"github.com/sutlerhq/sutler/internal/fault"
)

// keyringService is the name under which the system's keyring keeps tokens.
const keyringService = "sutler"

// logins keeps the one market that somebody signed in to: its address in a file, its token in the system's keyring,
// or in the file (0600) where there is no keyring.
type logins struct {
	file    string
	keyring bool
}

// login is what is kept of a sign-in. Token is empty when the keyring has it.
type login struct {
	URL     string `json:"url"`
	Token   string `json:"token,omitempty"`
	TokenID string `json:"token_id"`
}

func (s *session) logins() logins {
	folder := s.env("XDG_CONFIG_HOME")
	if folder == "" {
		folder = filepath.Join(s.env("HOME"), ".config")
	}
	return logins{file: filepath.Join(folder, "sutler", "login.json"), keyring: s.env("SUTLER_NO_KEYRING") == ""}
}

// read gives what was saved; fs.ErrNotExist when nothing was.
func (l logins) read() (login, error) {
	raw, err := os.ReadFile(l.file)
	if err != nil {
		return login{}, fmt.Errorf("the saved sign-in: %w", err)
	}
	var saved login
	if err := json.Unmarshal(raw, &saved); err != nil {
		return login{}, fault.Invalid.Wrap(err, "%s cannot be read.", l.file).WithHint("Remove it and run sutler login again.")
	}
	if saved.Token == "" && l.keyring {
		if saved.Token, err = keyring.Get(keyringService, saved.URL); err != nil {
			return login{}, fault.Unauthenticated.Wrap(err, "The keyring does not give the token for %s.", saved.URL).WithHint("Run sutler login again.")
		}
	}
	return saved, nil
}

// load gives the saved market to connect to.
func (l logins) load() (market, error) {
	saved, err := l.read()
	return market{URL: saved.URL, Token: saved.Token}, err
}

// save keeps a sign-in and tells where its token went.
func (l logins) save(saved login) (string, error) {
	where := l.file
	if l.keyring && keyring.Set(keyringService, saved.URL, saved.Token) == nil {
		saved.Token, where = "", "the keyring"
	}
	if err := os.MkdirAll(filepath.Dir(l.file), 0o700); err != nil {
		return "", fmt.Errorf("the sign-in cannot be kept: %w", err)
	}
	raw, err := json.Marshal(saved)
	if err != nil {
		return "", fmt.Errorf("the sign-in cannot be written: %w", err)
	}
	if err := os.WriteFile(l.file, raw, 0o600); err != nil {
		return "", fmt.Errorf("the sign-in cannot be kept: %w", err)
	}
	return where, os.Chmod(l.file, 0o600)
}

// forget removes what was saved.
func (l logins) forget(saved login) error {
	if l.keyring {
		_ = keyring.Delete(keyringService, saved.URL) // it may be in the file alone
	}
	if err := os.Remove(l.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the sign-in cannot be removed: %w", err)
	}
	return nil
}
