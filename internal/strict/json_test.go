package strict_test

import (
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
)

func TestJSON(t *testing.T) {
	deep := func(n int, open, end string) string { return strings.Repeat(open, n) + strings.Repeat(end, n) }
	for _, c := range []struct {
		name, doc, says string // says is "" when the document is fine
	}{
		{"object", `{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}`, ""},
		{"scalar", ` "text" `, ""},
		{"numbers", `[0,-1,1.5,1e3,2E-10]`, ""},
		{"pair of surrogates", `{"a":"\ud83d\ude00"}`, ""},
		{"replacement character", `"\ufffd"`, ""},
		{"backslash then u", `"\\ud800"`, ""},
		{"brackets in text", `"` + strings.Repeat("[", 200) + `"`, ""},
		{"quote in text", `{"a\"":"{","a":"\\"}`, ""},
		{"64 deep", deep(64, "[", "]"), ""},
		{"65 deep", deep(65, "[", "]"), "nested more than 64 deep"},
		{"objects 65 deep", strings.Repeat(`{"a":`, 65) + "1" + strings.Repeat("}", 65), "nested more than 64 deep"},
		{"empty", "", "empty"},
		{"blank", " \n", "empty"},
		{"two values", `{} {}`, "not well-formed at byte"},
		{"open end", `{"a":`, "not well-formed"},
		{"trailing comma", `[1,]`, "not well-formed"},
		{"comment", `{} // no`, "not well-formed"},
		{"NaN", `NaN`, "not well-formed"},
		{"single quotes", `{'a':1}`, "not well-formed"},
		{"byte order mark", "\ufeff{}", "not well-formed"},
		{"not UTF-8", "\"\xff\"", "not UTF-8"},
		{"overlong UTF-8", "\"\xc0\x80\"", "not UTF-8"},
		{"duplicate", `{"a":1,"a":2}`, "/a is given twice"},
		{"duplicate below", `{"x":[0,{"b/c":1,"b/c":2}]}`, "/x/1/b~1c is given twice"},
		{"duplicate in disguise", `{"a":1,"\u0061":2}`, "/a is given twice"},
		{"duplicate empty key", `{"":1,"":2}`, "given twice"},
		{"half a pair", `{"a":"\ud83d"}`, "/a holds half a surrogate pair"},
		{"halves the wrong way", `"\ude00\ud83d"`, "half a surrogate pair"},
		{"NUL", `{"a":"x\u0000y"}`, "/a holds a NUL"},
		{"raw NUL", "\"\x00\"", "not well-formed"},
		{"long number", `{"n":` + strings.Repeat("9", 65) + `}`, "/n is a number of more than 64"},
		{"huge exponent", `{"n":[1,1e1000000000]}`, "/n/1 is a number with an exponent"},
		{"tiny exponent", `1e-999`, "its value is a number with an exponent"},
		{"exponent beyond int", `1e99999999999999999999`, "exponent"},
	} {
		err := strict.JSON([]byte(c.doc))
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.says != "" && (!errors.Is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: got %v, want %q", c.name, err, c.says)
		}
	}
}

func TestBombsAreFast(t *testing.T) {
	keys := []byte(`{`)
	for i := range 100_000 {
		keys = append(strconv.AppendInt(append(keys, '"'), int64(i), 36), `":0,`...)
	}
	for name, doc := range map[string][]byte{
		"brackets": []byte(strings.Repeat("[", 1<<20)),
		"objects":  []byte(strings.Repeat(`{"a":`, 1<<18)),
		"keys":     append(keys, `"0":1}`...),
		"escapes":  []byte(`"` + strings.Repeat(`\u00e9`, 1<<17) + `\ud800"`),
		"digits":   []byte(strings.Repeat("9", 1<<20)),
	} {
		started := time.Now()
		if err := strict.JSON(doc); !errors.Is(err, fault.Invalid) || len(err.Error()) > 300 {
			t.Errorf("%s: %.300v", name, err)
		}
		if took := time.Since(started); took > time.Second { // 100 ms on a quiet machine; this catches what is not linear
			t.Errorf("%s took %v", name, took)
		}
	}
}

func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,"\ud83d\ude00",{"b":null}]}`, `{"a":1,"a":2}`, `1e999`, `"\ud800"`, strings.Repeat("[", 70), "\xff", `[`, `"\`, `{"a`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		err := strict.JSON(raw)
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Fatalf("not Invalid: %v", err)
		}
		if err == nil && !json.Valid(raw) {
			t.Fatalf("accepted what is no JSON: %q", raw)
		}
		if s, serr := strict.Compile(raw); serr == nil {
			_ = s.Check(raw) // must not panic
		}
	})
}
