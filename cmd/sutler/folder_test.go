package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
)

func TestFolderIsHeldOnce(t *testing.T) {
	dir := t.TempDir()
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.hold("http://127.0.0.1:8080"); err != nil {
		t.Fatal(err)
	}
	_, err = openFolder(dir)
	who := fmt.Sprintf("in use by process %d, at http://127.0.0.1:8080", os.Getpid())
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), who) {
		t.Errorf("error %v, want %s", err, who)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	_ = again.Close()
}

func TestFolderWritesForItsOwnerAlone(t *testing.T) {
	f, err := openFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want := map[string]string{"a": "b"}
	if err := f.write("x.json", want); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(f.path("x.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	var got, none map[string]string
	if err := f.read("x.json", &got); err != nil || got["a"] != "b" {
		t.Errorf("read %v, %v", got, err)
	}
	if err := f.read("none.json", &none); err != nil || none != nil {
		t.Errorf("a file that is not there gave %v, %v", none, err)
	}
}

func TestListenSaysThatThePortIsTaken(t *testing.T) {
	l, err := listen(t.Context(), "127.0.0.1:0", "--addr")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = listen(t.Context(), l.Addr().String(), "--addr")
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "is in use") || !strings.Contains(fault.Of(err).Hint, "--addr") {
		t.Errorf("error %v", err)
	}
	if _, err = listen(t.Context(), "nowhere", "--addr"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("error %v for an address that is none", err)
	}
}
