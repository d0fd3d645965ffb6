package seal_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"

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

// A reader that reads on after an error, as bufio's Peek and many parsers do, must not take it for the end.
func TestADamagedStreamStaysDamaged(t *testing.T) {
	key := seal.NewStreamKey()
	var kept bytes.Buffer
	w, err := seal.Writer(key, "backup/1", &kept)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(bytes.Repeat([]byte("backup "), 400_000)) // three segments
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	whole := kept.Bytes()
	broken := errors.New("the disk broke")
	for name, c := range map[string]struct {
		from io.Reader
		want error
	}{
		"the header's length":        {changed(whole, 0), seal.ErrDamaged},
		"the salt":                   {changed(whole, 5), seal.ErrDamaged},
		"the first segment":          {changed(whole, 60), seal.ErrDamaged},
		"the second segment":         {changed(whole, 1<<20+500), seal.ErrDamaged},
		"the last byte":              {changed(whole, len(whole)-1), seal.ErrDamaged},
		"nothing is left":            {bytes.NewReader(nil), seal.ErrDamaged},
		"cut in the header":          {bytes.NewReader(whole[:20]), seal.ErrDamaged},
		"cut in the first segment":   {bytes.NewReader(whole[:5000]), seal.ErrDamaged},
		"cut between two segments":   {bytes.NewReader(whole[:1<<20]), seal.ErrDamaged},
		"cut in the last segment":    {bytes.NewReader(whole[:len(whole)-100]), seal.ErrDamaged},
		"what it is kept on broke":   {io.MultiReader(bytes.NewReader(whole[:1<<20]), iotest.ErrReader(broken)), broken},
		"it broke at the beginning":  {iotest.ErrReader(broken), broken},
		"the connection was cut off": {io.MultiReader(bytes.NewReader(whole[:5000]), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
	} {
		r, err := seal.Reader(key, "backup/1", c.from)
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			if _, again := r.Read(make([]byte, 1)); !errors.Is(again, c.want) {
				t.Errorf("%s: read again it says %v", name, again)
			}
		}
		if !errors.Is(err, c.want) || errors.Is(err, seal.ErrDamaged) != (c.want == seal.ErrDamaged) { //nolint:errorlint // which of the two it is
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// changed gives b with one bit of the byte at another.
func changed(b []byte, at int) io.Reader {
	b = bytes.Clone(b)
	b[at] ^= 1
	return bytes.NewReader(b)
}
