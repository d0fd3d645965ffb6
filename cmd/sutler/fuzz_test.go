package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
)

// FuzzConfig: a configuration is taken, or refused as Invalid with places that exist.
func FuzzConfig(f *testing.F) {
	deploy, err := os.ReadFile("../../deploy/sutler.yaml")
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{goodConfig, string(deploy), "a: &a [*a]", "providers: [{}]", "grace: -1s", "store: ${X", "seller: 7", "---\n---\n", "currency: EUR\ncurrency: USD\n"} {
		f.Add([]byte(s))
	}
	path := filepath.Join(f.TempDir(), "sutler.yaml")
	f.Fuzz(func(t *testing.T, text []byte) {
		if strings.Contains(string(text), "file:") {
			return // reads whatever file is named
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := loadConfig(path)
		if err == nil {
			return
		}
		fields := fault.Of(err).Fields
		if fault.KindOf(err) != fault.Invalid || len(fields) == 0 {
			t.Fatalf("%s without a place: %v", fault.KindOf(err), err)
		}
		for _, field := range fields {
			if field.Reason == "" {
				t.Fatalf("a problem without a reason: %+v", fields)
			}
		}
	})
}

func FuzzSpan(f *testing.F) {
	for _, s := range []string{"90m", "31d", "0d", "-1d", "1.5d", " 3d", "99999999d", "1h30m", "d"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d, err := span(s); err == nil && d <= 0 {
			t.Fatalf("%q is %s", s, d)
		}
	})
}

// FuzzParameters: -p key=value makes an object in which the value is what was typed, as JSON or as a text.
func FuzzParameters(f *testing.F) {
	for _, s := range []string{"size=3", "name=x", "a==", "=", "x", `q={"a":[1]}`, "n=1e400", "t=\"", "k=\xff", "\x00=\x00", "a= 1 "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pair string) {
		raw, err := parameters("", []string{pair})
		if err != nil {
			return
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(raw, &object); err != nil || len(object) != 1 {
			t.Fatalf("%q became %s", pair, raw)
		}
	})
}
