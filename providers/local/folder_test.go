package local

import (
	"os"
	"path/filepath"
	"testing"
)

func TestElsewhereIsRememberedAndNeverAnOldOne(t *testing.T) {
	location := filepath.Join(t.TempDir(), "location")
	place := func() string {
		t.Helper()
		p, err := elsewhere(location)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.RemoveAll(p) })
		return p
	}
	first := place()
	if again := place(); again != first {
		t.Errorf("%s became %s", first, again)
	}
	if err := os.Remove(location); err != nil { // as `rm -rf .sutler` does
		t.Fatal(err)
	}
	if fresh := place(); fresh == first {
		t.Error("old data came back to a new folder")
	}
}
