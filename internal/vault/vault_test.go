package vault

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

func TestAFolderKeepsThingsWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir() + "/deeper"
	v, err := Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	holds(t, v)
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// holds walks through what every vault does.
func holds(t *testing.T, v Vault) {
	t.Helper()
	ctx := t.Context()
	read := func(name string) ([]byte, error) {
		r, err := v.Read(ctx, name)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		return io.ReadAll(r)
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for _, thing := range [][]byte{big, {}, []byte("second")} { // each in the place of the one before
		n, err := v.Write(ctx, "bak_1", bytes.NewReader(thing))
		if err != nil || n != int64(len(thing)) {
			t.Fatal(n, err)
		}
		if got, err := read("bak_1"); err != nil || !bytes.Equal(got, thing) {
			t.Fatalf("%d of %d bytes came back: %v", len(got), len(thing), err)
		}
	}
	broken := io.MultiReader(bytes.NewReader(big), iotest.ErrReader(errors.New("the source broke off")))
	if _, err := v.Write(ctx, "bak_1", broken); err == nil {
		t.Error("half a thing was kept without a word")
	}
	if got, err := read("bak_1"); err != nil || string(got) != "second" {
		t.Errorf("what was kept before became %d bytes: %v", len(got), err)
	}
	if _, err := v.Write(ctx, "bak_2", broken); err == nil {
		t.Error("half a thing was kept without a word")
	}
	for _, name := range []string{"bak_2", "bak_3"} {
		if _, err := read(name); !errors.Is(err, ErrAbsent) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for range 2 {
		if err := v.Remove(ctx, "bak_1"); err != nil {
			t.Error(err)
		}
	}
	if _, err := read("bak_1"); !errors.Is(err, ErrAbsent) {
		t.Error(err)
	}
	for _, name := range []string{"", "../x", "a/b", ".hidden", "a b", strings.Repeat("x", 201), "x\x00"} {
		if _, err := v.Write(ctx, name, strings.NewReader("x")); err == nil {
			t.Errorf("%q was taken for a name", name)
		}
		if _, err := v.Read(ctx, name); err == nil || errors.Is(err, ErrAbsent) {
			t.Errorf("%q: %v", name, err)
		}
		if err := v.Remove(ctx, name); err == nil {
			t.Errorf("%q was removed", name)
		}
	}
}
