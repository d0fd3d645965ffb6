package seal_test

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/seal"
)

// FuzzOpen: nothing opens but what was sealed.
func FuzzOpen(f *testing.F) {
	db := dbtest.New(f)
	b, err := seal.New(f.Context(), db, filepath.Join(f.TempDir(), "master.key"), true)
	if err != nil {
		f.Fatal(err)
	}
	good, err := b.Seal(f.Context(), "org_a", "row/1", []byte("plain"))
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{good, good[:len(good)-1], good + "A", good[:8], "v1.", "x", "\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sealed string) {
		plain, err := b.Open(t.Context(), "org_a", "row/1", sealed)
		if err == nil && sealed != "" && (sealed != good || string(plain) != "plain") {
			t.Fatalf("%q opens to %q", sealed, plain)
		}
		if other, err := b.Open(t.Context(), "org_a", "row/2", sealed); err == nil && sealed != "" {
			t.Fatalf("%q opens in another row to %q", sealed, other)
		}
	})
}

// FuzzStream: no stream opens but one that was written, whole, with this key, for this row; of a changed one no byte is given that was not written.
func FuzzStream(f *testing.F) {
	key := seal.NewStreamKey()
	plain := []byte("a backup of what an app had written")
	var good bytes.Buffer
	w, err := seal.Writer(key, "backup/1", &good)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		f.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	whole := good.Bytes()
	for _, s := range [][]byte{whole, whole[:len(whole)-1], whole[:40], whole[:1], {}, append(bytes.Clone(whole), 0), bytes.Repeat([]byte{40}, 80)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		r, err := seal.Reader(key, "backup/1", bytes.NewReader(stored))
		if err != nil {
			return
		}
		got, err := io.ReadAll(r)
		if same := bytes.Equal(stored, whole); same != (err == nil) || len(got) > 0 && !bytes.Equal(got, plain) {
			t.Fatalf("%x opens to %q (%v)", stored, got, err)
		}
	})
}
