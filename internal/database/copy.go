package database

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Copy writes a whole and consistent copy of the SQLite store at dsn to a new file, also while another process serves from it, which it does not
// hold up. It gives the copy's size in bytes. Errors: fault.Unprocessable for another store, fault.NotFound when there is none,
// fault.Conflict when the file exists, fault.Invalid when it cannot be written.
func Copy(ctx context.Context, dsn, file string) (size int64, err error) {
	path, ok := strings.CutPrefix(dsn, "sqlite://")
	if !ok {
		return 0, fault.Unprocessable.Errorf("The store is a PostgreSQL database, which its own program backs up.").WithHint(`Run: pg_dump --format=custom --file=sutler.dump "$STORE"`)
	}
	if _, err := os.Stat(path); err != nil {
		return 0, fault.NotFound.Wrap(err, "There is no store %s.", path).WithHint("Run this where the market runs, with its configuration.")
	}
	part, err := claim(file)
	if err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part)
		}
	}()
	if err := vacuum(ctx, path, part); err != nil {
		return 0, fault.Unavailable.Wrap(err, "The store could not be copied to %s.", file).WithHint("Check that there is room for it, and that the store can be read by this user.")
	}
	if size, err = synced(part); err == nil {
		err = os.Rename(part, file)
	}
	if err == nil {
		_, err = synced(filepath.Dir(file))
	}
	if err != nil {
		return 0, fault.Invalid.Wrap(err, "The copy %s could not be finished.", file)
	}
	return size, nil
}

// claim makes the empty file that SQLite fills: it would itself make one that all may read. A copy that was broken off before is begun anew.
func claim(file string) (part string, err error) {
	if _, err := os.Stat(file); err == nil {
		return "", fault.Conflict.Errorf("The file %s is there already.", file).WithHint("Choose another name: a backup is never written over.")
	}
	part = file + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fault.Invalid.Wrap(err, "The file %s cannot be replaced.", part)
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", fault.Invalid.Wrap(err, "The file %s cannot be written.", file).WithHint("Check that its folder exists and belongs to this user.")
	}
	return part, f.Close()
}

func vacuum(ctx context.Context, path, part string) error {
	db, err := sql.Open("sqlite", fileURI(path, url.Values{"mode": {"rw"}, "_pragma": {"busy_timeout(15000)"}}))
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return err
	}
	copied, err := sql.Open("sqlite", fileURI(part, url.Values{"mode": {"ro"}}))
	if err != nil {
		return err
	}
	defer copied.Close()
	var verdict string
	if err := copied.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		return errors.New("the copy is damaged: " + verdict)
	}
	return nil
}

// synced makes a file, or what a folder says of its files, survive a power cut.
func synced(path string) (size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), f.Sync()
}
