package database_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// TestCopyWhileItIsWritten: transactions that write two rows each go on while the store is copied. The copy has both of a pair or none, and opens.
func TestCopyWhileItIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sutler.db")
	db, err := database.Open(t.Context(), "sqlite://"+path, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	write := func(q string, times int) {
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			for range times {
				if err := db.From(ctx).Exec(q).Error; err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	write("CREATE TABLE pairs (n BIGINT)", 1)
	write("INSERT INTO pairs (n) VALUES (1)", 2)
	stop := make(chan struct{})
	var writing sync.WaitGroup
	writing.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				write("INSERT INTO pairs (n) VALUES (1)", 2)
			}
		}
	})
	file := filepath.Join(t.TempDir(), "backup.db")
	size, err := database.Copy(t.Context(), "sqlite://"+path, file)
	close(stop)
	writing.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() != size || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v, %d bytes", info, err, size)
	}
	copied, err := database.Open(t.Context(), "sqlite://"+file, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	var n int64
	if err := copied.From(t.Context()).Raw("SELECT count(*) FROM pairs").Scan(&n).Error; err != nil || n < 2 || n%2 != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestCopyRefuses(t *testing.T) {
	dir := t.TempDir()
	there := filepath.Join(dir, "there.db")
	store, err := database.Open(t.Context(), "sqlite://"+there, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for dsn, want := range map[[2]string]fault.Kind{
		{"postgres://localhost/x", filepath.Join(dir, "a")}:                    fault.Unprocessable,
		{"sqlite://" + filepath.Join(dir, "none.db"), filepath.Join(dir, "a")}: fault.NotFound,
		{"sqlite://" + there, there}:                                           fault.Conflict,
		{"sqlite://" + there, filepath.Join(dir, "no", "folder")}:              fault.Invalid,
	} {
		if _, err := database.Copy(t.Context(), dsn[0], dsn[1]); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %s", dsn, err, want)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasPrefix(f.Name(), "there.db") {
			t.Error("left behind:", f.Name())
		}
	}
}
