package database

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"

	_ "github.com/glebarez/go-sqlite" // the driver "sqlite", without cgo
	"github.com/glebarez/sqlite"
	"gorm.io/gorm"

	"github.com/sutlerhq/sutler/internal/fault"
)

// readers is how many connections read an SQLite file at once; one writes.
const readers = 4

func (d *DB) openSQLite(ctx context.Context, path, sync string) (err error) {
	d.SQLite = true
	if d.lock, err = lockFile(path + ".lock"); err != nil {
		return err
	}
	// The file is made here because SQLite would make it readable for all; -wal and -shm follow its mode.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fault.Invalid.Wrap(err, "The store %s cannot be opened for writing.", path).WithHint("Check that its folder exists and belongs to this user.")
	}
	if err = f.Close(); err != nil {
		return err
	}
	d.W, err = sql.Open("sqlite", fileURI(path, url.Values{
		"_txlock": {"immediate"}, "_pragma": {"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(" + sync + ")", "foreign_keys(1)"},
	}))
	if err != nil {
		return err
	}
	d.W.SetMaxOpenConns(1)
	if err = d.W.PingContext(ctx); err != nil { // makes -wal and -shm before the readers open
		return fault.Invalid.Wrap(err, "The file %s is no store that can be opened.", path)
	}
	if d.R, err = sql.Open("sqlite", fileURI(path, url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(5000)", "query_only(1)"}})); err != nil {
		return err
	}
	d.R.SetMaxOpenConns(readers)
	d.R.SetMaxIdleConns(readers)
	if d.write, err = gorm.Open(&sqlite.Dialector{Conn: outer{d.W, d}}, config()); err != nil {
		return err
	}
	d.read, err = gorm.Open(&sqlite.Dialector{Conn: outer{d.R, d}}, config())
	return err
}

func fileURI(path string, q url.Values) string {
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

// lockFile takes the lock at path for this process and writes its id there. The kernel frees it when the process ends, however it ends.
// The file itself stays: removing it would let two processes lock two files of one name.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The store's lock %s cannot be made.", path).WithHint("Check that its folder exists and belongs to this user.")
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.Invalid.Wrap(err, "The store's lock %s cannot be taken.", path)
		}
		return nil, fault.Conflict.Wrap(err, "The store %s is in use by %s.", strings.TrimSuffix(path, ".lock"), holder(f)).
			WithHint("Stop that process, or choose another data folder.")
	}
	if err = f.Truncate(0); err == nil {
		_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	if err != nil {
		return nil, errors.Join(fault.Invalid.Wrap(err, "The store's lock %s cannot be written.", path), f.Close())
	}
	return f, nil
}

func holder(f *os.File) string {
	var b [20]byte
	n, _ := f.ReadAt(b[:], 0)
	if pid := strings.TrimSpace(string(b[:n])); pid != "" {
		return "the process " + pid
	}
	return "another process" // it has the lock and has not written its id yet
}
