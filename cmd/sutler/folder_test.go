package main

import (
	"fmt"
	"os"
	"path/filepath"
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

func TestListenSaysWhatIsWrongWithTheAddress(t *testing.T) {
	for address, want := range map[string]string{"127.0.0.1:99999": "ports end at 65535", "8.8.8.8:0": "8.8.8.8 is no address of this machine"} {
		if _, err := listen(t.Context(), address, "--addr"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
}

func TestARefusedStartLeavesNothing(t *testing.T) {
	l, err := listen(t.Context(), "127.0.0.1:0", "--addr")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := filepath.Join(t.TempDir(), "a", "b")
	if _, _, err := claim(t.Context(), devOptions{data: dir, addr: l.Addr().String()}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a port in use: %v", err)
	}
	if _, err := os.Stat(filepath.Dir(dir)); !os.IsNotExist(err) {
		t.Errorf("a folder was made: %v", err)
	}
	if _, _, err := claim(t.Context(), devOptions{addr: "127.0.0.1:0"}); exitCode(err) != exitUsage {
		t.Errorf("no folder: %v", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{filepath.Join(file, "x"): "is a file, not a folder", filepath.Join(file+"s", strings.Repeat("x", 300)): "the name is too long"} {
		if _, err := openFolder(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
