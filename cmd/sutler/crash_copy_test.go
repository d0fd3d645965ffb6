package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/sutlerhq/sutler/web/client"
)

// keeper is a backend whose instances can be copied: it keeps a word for an app.
type keeper interface {
	keep(credentials map[string]any, word string) error
	kept(credentials map[string]any) (string, error)
}

func (b fakeBackend) keep(credentials map[string]any, word string) error {
	s, err := b.Connect(credentials)
	if err != nil {
		return err
	}
	defer s.Close()
	return s.Put("word", word)
}

func (b fakeBackend) kept(credentials map[string]any) (string, error) {
	s, err := b.Connect(credentials)
	if err != nil {
		return "", err
	}
	defer s.Close()
	return s.Get("word")
}

func (postgresBackend) keep(credentials map[string]any, word string) error {
	db, err := sql.Open("pgx", fmt.Sprint(credentials["uri"]))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE words (word text)"); err != nil { //nolint:noctx // a test's hand
		return err
	}
	_, err = db.Exec("INSERT INTO words VALUES ($1)", word) //nolint:noctx // a test's hand
	return err
}

func (postgresBackend) kept(credentials map[string]any) (word string, err error) {
	db, err := sql.Open("pgx", fmt.Sprint(credentials["uri"]))
	if err != nil {
		return "", err
	}
	defer db.Close()
	err = db.QueryRow("SELECT word FROM words").Scan(&word) //nolint:noctx // a test's look
	return word, err
}

const keptWord = "what the app had written"

// firstCopy makes the backup that the lane's restores are made of.
func (l *lane) firstCopy(t *testing.T, p *process, first crashCase) {
	t.Helper()
	k, ok := l.backend.(keeper)
	if !ok {
		return
	}
	if err := k.keep(l.binding.Credentials, keptWord); err != nil {
		t.Fatal(err)
	}
	step := crashCase{want: first.want, verb: "backup", point: "none"}
	l.ask(t, p, step)
	l.converge(t, p, step)
	list, err := l.client().Backups(t.Context(), l.place(), "")
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	l.copy = list[0]
}

// followCopy waits until every backup that was accepted is ready.
func (l *lane) followCopy(t *testing.T, p *process) {
	t.Helper()
	l.copies++
	l.await(t, p, func() error {
		list, err := l.client().Backups(t.Context(), l.place(), "")
		if err != nil || len(list) != l.copies {
			return errors.Join(err, fmt.Errorf("%d backups", len(list)))
		}
		return not(nil, list[0].State == "ready", list[0].State+" "+list[0].Note)
	})
}

// followRestore waits for the instance that is made of the copy, and reads in it what an app had written before.
func (l *lane) followRestore(t *testing.T, p *process, c crashCase) {
	t.Helper()
	l.followBirth(t, p)
	l.restored = true
	look := crashCase{want: c.want, verb: "bind", point: "none"}
	l.ask(t, p, look)
	l.converge(t, p, look)
	if word, err := l.backend.(keeper).kept(l.binding.Credentials); err != nil || word != keptWord {
		t.Errorf("the instance that was made of a copy holds %q (%v)", word, err)
	}
}

// followSuspension waits until the instance is suspended, or ready again.
func (l *lane) followSuspension(t *testing.T, p *process, suspended bool) {
	t.Helper()
	state := "ready"
	if suspended {
		state = "suspended"
		l.pauses++
	}
	l.await(t, p, func() error {
		i, err := l.client().Instance(t.Context(), l.place(), l.instance.ID)
		return not(err, i.State == state, i.State+" "+i.Note)
	})
	l.suspended = suspended
}

// checkCopies compares the vault with the books: every backup is there whole, and nothing else.
func (l *lane) checkCopies(t *testing.T) {
	t.Helper()
	list, err := l.client().Backups(t.Context(), l.place(), "")
	if err != nil || len(list) != l.copies {
		t.Fatalf("%d backups, want %d: %v", len(list), l.copies, err)
	}
	of := map[string]client.Backup{}
	for _, b := range list {
		of[b.ID] = b
	}
	files, err := os.ReadDir(l.vault)
	if err != nil || len(files) != l.copies {
		t.Errorf("the vault holds %v, want %d backups (%v)", files, l.copies, err)
	}
	for _, f := range files {
		info, err := os.Stat(filepath.Join(l.vault, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if b := of[f.Name()]; b.State != "ready" || b.Bytes != info.Size() {
			t.Errorf("the vault holds %s with %d bytes; the market says %d bytes, %s", f.Name(), info.Size(), b.Bytes, b.State)
		}
	}
}
