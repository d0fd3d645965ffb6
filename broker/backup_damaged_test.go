package broker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// kept gives what the vault holds of a backup, and a way to exchange it.
func (m *market) kept(t *testing.T, backup string) (whole []byte, exchange func([]byte)) {
	t.Helper()
	r, err := m.Vault.Read(t.Context(), backup)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if whole, err = io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	return whole, func(b []byte) {
		t.Helper()
		if err := m.Vault.Remove(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
		if b == nil {
			return
		}
		if _, err := m.Vault.Write(t.Context(), backup, bytes.NewReader(b)); err != nil {
			t.Fatal(err)
		}
	}
}

// backedUp is an instance with some data and a backup of it.
func (m *market) backedUp(t *testing.T) Backup {
	t.Helper()
	i := m.made(t, "sync", "orders")
	m.write(t, m.bound(t, i.ID).ID, "greeting", strings.Repeat("hello there ", 300_000)) // more than three sealed pieces
	bk, err := m.BackUp(t.Context(), ada, i.ID)
	if err != nil {
		t.Fatal(err)
	}
	return m.backup(t, bk.ID, backupReady)
}

// fails restores a backup and expects that to fail at once, with what was made removed.
func (m *market) fails(t *testing.T, o RestoreOrder, says string) Operation {
	t.Helper()
	o.Currency = "EUR"
	made, _, err := m.Restore(t.Context(), ada, o)
	if err != nil {
		t.Fatal(err)
	}
	op := m.ends(t, made.Operation.ID, failed)
	if !strings.Contains(op.Note, says) {
		t.Errorf("%s: %q, want %q", o.Name, op.Note, says)
	}
	m.becomes(t, made.ID, Gone)
	return op
}

func TestADamagedBackupIsNotRestored(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		bk := m.backedUp(t)
		whole, exchange := m.kept(t, bk.ID)
		flipped := func(at int) []byte {
			b := bytes.Clone(whole)
			b[at] ^= 1
			return b
		}
		for name, c := range map[string]struct {
			kept []byte
			says string
		}{
			"header":   {flipped(0), "is damaged"},
			"salt":     {flipped(10), "is damaged"},
			"first":    {flipped(60), "is damaged"},
			"second":   {flipped(1<<20 + 500), "is damaged"},
			"third":    {flipped(2<<20 + 3000), "is damaged"},
			"last":     {flipped(len(whole) - 1), "is damaged"},
			"cut":      {whole[:len(whole)-1], "is damaged"},
			"segment":  {whole[:1<<20], "is damaged"},
			"short":    {whole[:100], "is damaged"},
			"nothing":  {[]byte{}, "is damaged"},
			"not-kept": {nil, "is not where backups are kept"},
		} {
			exchange(c.kept)
			if op := m.fails(t, RestoreOrder{Backup: bk.ID, Name: name}, c.says); op.Attempts > 2 || op.Repeatable {
				t.Errorf("%s: it was tried %d times, and is said to be worth another try: %v", name, op.Attempts, op.Repeatable)
			}
		}
		exchange(whole)
		made, _, err := m.Restore(t.Context(), ada, RestoreOrder{Backup: bk.ID, Name: "whole", Currency: "EUR"})
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, made.Operation.ID, succeeded)
	})
}

// What a driver makes of a stream that breaks is not why it failed.
func TestWhyABackupCannotBeReadIsWhatIsSaid(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		bk := m.backedUp(t)
		whole, exchange := m.kept(t, bk.ID)
		exchange(whole[:len(whole)-20])
		m.driver.FailNext("restore", -1, errors.New("the program ended with 1"))
		m.fails(t, RestoreOrder{Backup: bk.ID, Name: "one"}, "fakes failed to restore") // the stream was not read
		m.driver.FailNext("restore", 0, nil)
		m.fails(t, RestoreOrder{Backup: bk.ID, Name: "two"}, "is damaged")
	})
}

func TestARestoreThatCannotSucceedEndsAndIsListedMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		bk := m.backedUp(t)
		m.driver.FailNext("restore", -1, errors.New("it broke"))
		made, _, err := m.Restore(ctx, ada, RestoreOrder{Backup: bk.ID, Name: "again", Currency: "EUR"})
		if err != nil {
			t.Fatal(err)
		}
		changes, err := m.Watch(ctx, ada, "prj_a")
		if err != nil {
			t.Fatal(err)
		}
		var seen string
		for op := made.Operation; op.State == inProgress; {
			if op, err = m.Operation(ctx, ada, op.ID); err != nil {
				t.Fatal(err)
			}
			if op.Stuck != "" && op.State == inProgress {
				list, err := m.Operations(ctx, otto, true)
				if err != nil {
					t.Fatal(err)
				}
				if len(list) == 1 {
					seen = list[0].Stuck
				}
			}
			select {
			case <-changes:
			case <-time.After(20 * time.Millisecond): // slow readers lose changes
			}
		}
		if !strings.Contains(seen, "could not be copied into it") || !strings.Contains(seen, "fakes failed to restore.") {
			t.Errorf("it was listed as %q", seen)
		}
		op := m.ends(t, made.Operation.ID, failed)
		if !strings.Contains(op.Note, "in 5 tries. fakes failed to restore.") || m.driver.Calls("restore") != fillTries {
			t.Errorf("%q after %d tries", op.Note, m.driver.Calls("restore"))
		}
		m.becomes(t, made.ID, Gone)
		if list, err := m.Operations(ctx, otto, true); err != nil || len(list) != 0 {
			t.Error(list, err)
		}
	})
}

func TestARestoreThatHoldsSomethingElseFailsByName(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		bk := m.backedUp(t)
		err := db.Tx(ctx, func(ctx context.Context) error { // as if the copy were short of a key
			return db.From(ctx).Exec(`UPDATE backups SET counts_before = '{"keys":2}', counts = '{"keys":2}' WHERE id = ?`, bk.ID).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		m.fails(t, RestoreOrder{Backup: bk.ID, Name: "short"}, `of "keys" it holds 1, and 2 were counted`)
		made, _, err := m.Restore(ctx, ada, RestoreOrder{Backup: bk.ID, Name: "taken", Currency: "EUR", Uncounted: true})
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, made.Operation.ID, succeeded)
	})
}

func TestRestoredCopiesAreCompared(t *testing.T) {
	type m = map[string]int64
	for _, c := range []struct {
		name               string
		before, got, after m
		expires, same      bool
	}{
		{"alike", m{"a": 2}, m{"a": 2}, m{"a": 2}, false, true},
		{"an empty one is none", m{"a": 0}, m{}, m{"a": 0}, false, true},
		{"one is missing", m{"a": 2, "b": 1}, m{"a": 2}, m{"a": 2, "b": 1}, false, false},
		{"one too many", m{"a": 2}, m{"a": 2, "b": 1}, m{"a": 2}, false, false},
		{"fewer", m{"a": 2}, m{"a": 1}, m{"a": 2}, false, false},
		{"nothing", m{"a": 2}, m{}, m{"a": 2}, false, false},
		{"more", m{"a": 2}, m{"a": 3}, m{"a": 2}, false, false},
		{"written meanwhile", m{"a": 2}, m{"a": 4}, m{"a": 3}, false, true},
		{"made meanwhile", m{}, m{"a": 1}, m{"a": 3}, false, true},
		{"dropped meanwhile", m{"a": 1}, m{"a": 1}, m{}, false, true},
		{"written meanwhile, and all of it lost", m{"a": 2}, m{}, m{"a": 3}, false, false},
		{"some expired", m{"a": 5}, m{"a": 4}, m{"a": 5}, true, true},
		{"none becomes more by expiring", m{"a": 5}, m{"a": 6}, m{"a": 5}, true, false},
	} {
		err := restored("bak_1", c.before, c.got, c.after, c.expires)
		if (err == nil) != c.same || err != nil && fault.KindOf(err) != fault.Refused {
			t.Error(c.name, err)
		}
	}
}
