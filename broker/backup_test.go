package broker

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// backup waits until a backup is in a state.
func (m *market) backup(t *testing.T, id, state string) Backup {
	t.Helper()
	var bk Backup
	eventually(t, "a backup that is "+state, func() bool {
		var err error
		bk, err = m.Backup(t.Context(), ada, id)
		if state == backupGone && fault.KindOf(err) == fault.NotFound {
			return true
		}
		if err != nil {
			t.Fatal(err)
		}
		return bk.State == state
	})
	return bk
}

// write puts a value into an instance as an app does.
func (m *market) write(t *testing.T, binding, key, value string) {
	t.Helper()
	c, err := m.Credentials(t.Context(), ada, binding)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.driver.Connect(c.Values)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Put(key, value); err != nil {
		t.Fatal(err)
	}
}

func (m *market) read(t *testing.T, binding, key string) string {
	t.Helper()
	c, err := m.Credentials(t.Context(), ada, binding)
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.driver.Connect(c.Values)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	value, err := s.Get(key)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestABackupOutlivesItsInstanceAndBecomesANewOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "orders")
		bd := m.bound(t, i.ID)
		m.write(t, bd.ID, "greeting", "hello there")
		bk, err := m.BackUp(ctx, ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		bk = m.backup(t, bk.ID, backupReady)
		if bk.Bytes == 0 || bk.Counts["keys"] != 1 || bk.EndedAt.IsZero() {
			t.Errorf("%+v", bk)
		}
		kept, err := m.Vault.Read(ctx, bk.ID)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(kept)
		kept.Close()
		if err != nil || bytes.Contains(raw, []byte("hello")) || int64(len(raw)) != bk.Bytes {
			t.Errorf("%d bytes are kept in clear, or other than said: %d, %v", len(raw), bk.Bytes, err)
		}
		m.write(t, bd.ID, "greeting", "changed since")
		gone, err := m.Deprovision(ctx, ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		list, err := m.Backups(ctx, eve, shopA, "")
		if err != nil || len(list) != 1 || list[0].ID != bk.ID {
			t.Fatal(list, err)
		}
		made, choice, err := m.Restore(ctx, ada, RestoreOrder{Backup: bk.ID, Currency: "EUR"})
		if err != nil || choice.Plan.Name != "sync" || made.Name != "orders-restored" {
			t.Fatal(made, choice, err)
		}
		m.ends(t, made.Operation.ID, succeeded)
		if got := m.read(t, m.bound(t, made.ID).ID, "greeting"); got != "hello there" {
			t.Errorf("it holds %q", got)
		}
		if err := m.DeleteBackup(ctx, ada, bk.ID); err != nil {
			t.Fatal(err)
		}
		m.backup(t, bk.ID, backupGone)
		if _, err := m.Vault.Read(ctx, bk.ID); err == nil {
			t.Error("the vault still holds a backup that was deleted")
		}
	})
}

func TestARestoreThatBreaksOffBeginsAgainWithAnEmptyInstance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "orders")
		m.write(t, m.bound(t, i.ID).ID, "greeting", "hello")
		bk, err := m.BackUp(ctx, ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.backup(t, bk.ID, backupReady)
		m.driver.FailNext("restore", 1, errors.New("the connection broke"))
		made, _, err := m.Restore(ctx, ada, RestoreOrder{Backup: bk.ID, Name: "again", Currency: "EUR"})
		if err != nil || made.Name != "again" {
			t.Fatal(made, err)
		}
		m.ends(t, made.Operation.ID, succeeded)
		if m.driver.Calls("deprovision") == 0 {
			t.Error("the half filled instance was not emptied")
		}
		if got := m.read(t, m.bound(t, made.ID).ID, "greeting"); got != "hello" {
			t.Errorf("it holds %q", got)
		}
	})
}

func TestABackupThatCannotSucceedSaysWhy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "orders")
		m.driver.FailNext("backup", -1, fault.Refused.Errorf("The disk of the server is full."))
		bk, err := m.BackUp(ctx, ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		bk = m.backup(t, bk.ID, backupFailed)
		if bk.Note != "The disk of the server is full." {
			t.Errorf("%q", bk.Note)
		}
		_, _, err = m.Restore(ctx, ada, RestoreOrder{Backup: bk.ID, Currency: "EUR"})
		kind(t, err, fault.Conflict)
	})
}

func TestWithoutAPlaceForBackupsNoneIsMadeAndNoneIsLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "orders")
		bk, err := m.BackUp(ctx, ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.backup(t, bk.ID, backupReady)
		m.stop()
		poor := joinWith(t, db, m.driver, m.books, m.key, "two", func(c *Config) { c.Vault = nil })
		_, err = poor.BackUp(ctx, ada, i.ID)
		kind(t, err, fault.Unprocessable)
		if err := poor.DeleteBackup(ctx, ada, bk.ID); err != nil {
			t.Fatal(err)
		}
		kind(t, poor.workBackup(ctx, backupWork{bk.ID}), fault.Unavailable)
		if got, err := poor.Backup(ctx, ada, bk.ID); err != nil || got.State != backupDeleting {
			t.Fatal(got, err)
		}
	})
}

func TestBackupsOfOthersAreNotThere(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m, ctx := newMarket(t, db), t.Context()
		i := m.made(t, "sync", "orders")
		_, err := m.BackUp(ctx, bob, i.ID)
		kind(t, err, fault.NotFound)
		_, err = m.BackUp(ctx, eve, i.ID)
		kind(t, err, fault.Forbidden)
		bk, err := m.BackUp(ctx, ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.backup(t, bk.ID, backupReady)
		_, err = m.Backup(ctx, bob, bk.ID)
		kind(t, err, fault.NotFound)
		kind(t, m.DeleteBackup(ctx, bob, bk.ID), fault.NotFound)
		kind(t, m.DeleteBackup(ctx, eve, bk.ID), fault.Forbidden)
		_, _, err = m.Restore(ctx, bob, RestoreOrder{Backup: bk.ID, Currency: "EUR"})
		kind(t, err, fault.NotFound)
		_, _, err = m.Restore(ctx, eve, RestoreOrder{Backup: bk.ID, Currency: "EUR"})
		kind(t, err, fault.Forbidden)
		_, err = m.Backups(ctx, bob, shopA, "")
		kind(t, err, fault.NotFound)
		_, err = m.Backups(context.WithoutCancel(ctx), identity.Principal{}, shopA, "")
		kind(t, err, fault.NotFound)
	})
}
