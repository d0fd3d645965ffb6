package failpoint

import (
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
)

// FuzzParse: a setting is refused, or does one of the four things.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"kill", "error@3", "freeze 8s", "freeze 8s@2", "count", "freeze -1s", "kill@0", "kill now", "@", " ", "freeze", "error@9223372036854775808"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, what string, fails bool) {
		p, err := parse(Point{Name: "a.b.c", Fails: fails}, what)
		switch {
		case err != nil && fault.KindOf(err) != fault.Invalid:
			t.Fatal(err)
		case err == nil && (p.nth < 0 || (p.action == "freeze") != (p.wait > 0) || p.action == "error" && !fails):
			t.Fatalf("%q: %+v", what, p)
		}
	})
}
