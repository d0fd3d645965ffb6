package nats

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats-server/v2/server"
)

// folder keeps accounts and logins as files. It is the server's account resolver.
type folder string

var _ server.AccountResolver = folder("")

func (f folder) make() error {
	for _, sub := range []string{"accounts", "logins", "store"} {
		if err := os.MkdirAll(filepath.Join(string(f), sub), 0o700); err != nil {
			return err
		}
	}
	return nil
}

// replace writes a file whole or not at all.
func replace(file string, text []byte) error {
	if err := os.WriteFile(file+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// remove removes a file; that it is not there is no error.
func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func (f folder) account(public string) string {
	return filepath.Join(string(f), "accounts", filepath.Base(public)+".jwt")
}

// Fetch gives an account's JWT.
func (f folder) Fetch(public string) (string, error) {
	text, err := os.ReadFile(f.account(public))
	if errors.Is(err, os.ErrNotExist) {
		return "", server.ErrMissingAccount
	}
	return string(text), err
}

// Store keeps an account's JWT.
func (f folder) Store(public, token string) error { return replace(f.account(public), []byte(token)) }

// IsReadOnly tells the server that it may not store accounts by itself.
func (f folder) IsReadOnly() bool { return true }

// Start does nothing: files need no start.
func (f folder) Start(*server.Server) error { return nil }

// IsTrackingUpdate tells the server that the driver tells it of changes.
func (f folder) IsTrackingUpdate() bool { return true }

// Reload does nothing: files are always fresh.
func (f folder) Reload() error { return nil }

// Close does nothing.
func (f folder) Close() {}

// login is a binding's name and the account that it opens.
type login struct {
	Name    string `json:"name"`
	Binding string `json:"binding"` // its id
	Account string `json:"account"` // public key
	Hash    []byte `json:"hash"`    // SHA-256 of a password that holds 238 random bits: nothing to guess, so nothing slower is needed
}

func (f folder) login(name string) string {
	return filepath.Join(string(f), "logins", filepath.Base(name)+".json")
}

func (f folder) putLogin(l login) error {
	text, err := json.Marshal(l)
	if err != nil {
		return err
	}
	return replace(f.login(l.Name), text)
}

func (f folder) getLogin(name string) (l login, found bool) {
	text, err := os.ReadFile(f.login(name))
	if err != nil || json.Unmarshal(text, &l) != nil || l.Name != name {
		return login{}, false
	}
	return l, true
}

// loginsOf lists the logins that open an account.
func (f folder) loginsOf(account string) ([]login, error) {
	entries, err := os.ReadDir(filepath.Join(string(f), "logins"))
	if err != nil {
		return nil, err
	}
	var list []login
	for _, e := range entries {
		name, whole := strings.CutSuffix(e.Name(), ".json")
		if l, found := f.getLogin(name); whole && found && l.Account == account {
			list = append(list, l)
		}
	}
	return list, nil
}
