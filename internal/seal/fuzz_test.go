package seal_test

import (
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
