package seal_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/sutlerhq/sutler/internal/seal"
)

func TestAStreamOpensWholeInItsRowAlone(t *testing.T) {
	for _, size := range []int{0, 1, 1 << 20, 3<<20 + 17} {
		plain := bytes.Repeat([]byte("backup "), size/7+1)[:size]
		key := seal.NewStreamKey()
		var kept bytes.Buffer
		w, err := seal.Writer(key, "backup/1", &kept)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		open := func(key []byte, row string, stored []byte) ([]byte, error) {
			r, err := seal.Reader(key, row, bytes.NewReader(stored))
			if err != nil {
				return nil, err
			}
			return io.ReadAll(r)
		}
		if got, err := open(key, "backup/1", kept.Bytes()); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("%d bytes: %d came back, %v", size, len(got), err)
		}
		changed := bytes.Clone(kept.Bytes())
		changed[len(changed)-1] ^= 1
		for name, try := range map[string]func() ([]byte, error){
			"another key":   func() ([]byte, error) { return open(seal.NewStreamKey(), "backup/1", kept.Bytes()) },
			"another row":   func() ([]byte, error) { return open(key, "backup/2", kept.Bytes()) },
			"a changed bit": func() ([]byte, error) { return open(key, "backup/1", changed) },
			"a cut end":     func() ([]byte, error) { return open(key, "backup/1", kept.Bytes()[:kept.Len()-1]) },
		} {
			if got, err := try(); err == nil {
				t.Errorf("%d bytes: %s opened it: %d bytes", size, name, len(got))
			}
		}
	}
	if _, err := seal.Writer([]byte("short"), "x", io.Discard); err == nil {
		t.Error("a short key was taken")
	}
}
