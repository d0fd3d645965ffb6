package signin

import (
	"net/url"
	"strings"
	"testing"
	"unicode"
)

// FuzzLocal: whatever is asked for, a browser is sent to a path of ours.
func FuzzLocal(f *testing.F) {
	for _, s := range []string{"/", "/apps?x=1#y", "//evil.example", "/\\evil.example", "https://evil.example", "/%2f/evil.example", "/a/../..//evil.example", "javascript:alert(1)", "/\tevil", "/auth/callback", "///x", "/.//x", "?x", ""} {
		f.Add(s)
	}
	here, err := url.Parse("https://market.example.com/auth/callback")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, path string) {
		to := local(path)
		u, err := url.Parse(to)
		if err != nil || strings.ContainsFunc(to, func(r rune) bool { return r == '\\' || unicode.IsControl(r) }) {
			t.Fatalf("%q leads to %q: %v", path, to, err)
		}
		if at := here.ResolveReference(u); at.Host != here.Host || at.Scheme != here.Scheme || strings.HasPrefix(at.Path, "//") {
			t.Fatalf("%q leads to %s", path, at)
		}
	})
}

// FuzzIsLogout: a token that cannot be read is treated like one that must not be let in.
func FuzzIsLogout(f *testing.F) {
	for _, s := range []string{"eyJ0eXAiOiJsb2dvdXQrand0In0.e30.x", "e30.e30.", "", ".", "eyJ0eXAiOjd9.", "bnVsbA."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		if !isLogout(raw) && (raw == "" || strings.HasPrefix(raw, ".")) {
			t.Fatalf("%q has no head and passes", raw)
		}
	})
}
