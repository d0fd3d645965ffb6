package vault

import (
	"bytes"
	"errors"
	"io"
	"os"
	"slices"
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

// TestWhatAKilledProcessBeganIsForgotten: the next try under the same name, or its removal, takes the unfinished file away; other names' stay.
func TestWhatAKilledProcessBeganIsForgotten(t *testing.T) {
	dir := t.TempDir()
	v, err := Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	begin := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if err := os.WriteFile(dir+"/"+unfinished+name+"-123", []byte("half"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	left := func(want ...string) {
		t.Helper()
		files, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range files {
			got = append(got, f.Name())
		}
		if !slices.Equal(got, want) {
			t.Errorf("the folder holds %q, want %q", got, want)
		}
	}
	begin("bak_1", "bak_12", "bak_3")
	if _, err := v.Write(t.Context(), "bak_1", strings.NewReader("whole")); err != nil {
		t.Fatal(err)
	}
	left(unfinished+"bak_12-123", unfinished+"bak_3-123", "bak_1")
	if err := v.Remove(t.Context(), "bak_3"); err != nil {
		t.Fatal(err)
	}
	left(unfinished+"bak_12-123", "bak_1")
	hang := func() error { // another process begins anew while this one hangs
		_, err := v.Write(t.Context(), "bak_1", strings.NewReader("newer"))
		return err
	}
	if _, err := v.Write(t.Context(), "bak_1", io.MultiReader(strings.NewReader("frozen"), reads(hang))); err == nil {
		t.Error("what hung gave its file the name after another had begun anew")
	}
	left(unfinished+"bak_12-123", "bak_1")
}

// reads does something where a stream ends.
type reads func() error

func (f reads) Read([]byte) (int, error) {
	if err := f(); err != nil {
		return 0, err
	}
	return 0, io.EOF
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
