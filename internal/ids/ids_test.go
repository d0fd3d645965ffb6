package ids_test

import (
	"regexp"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/ids"
)

func TestNewIsUniqueSafeAndSortsByBirth(t *testing.T) {
	shape := regexp.MustCompile(`^ins_[0-9a-hjkmnp-tv-z]{26}$`)
	seen := map[string]bool{}
	for range 10_000 {
		id := ids.New("ins")
		if seen[id] || !shape.MatchString(id) {
			t.Fatal(id)
		}
		seen[id] = true
	}
	early := ids.New("ins")
	for started := time.Now().UnixMilli(); time.Now().UnixMilli() <= started+1; { // the millisecond is what is sorted by
	}
	if late := ids.New("ins"); late <= early {
		t.Error(late, "sorts before", early)
	}
}

func TestStable(t *testing.T) {
	a := ids.Stable("plan", "pg", "small")
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(a) {
		t.Error("no UUID:", a)
	}
	if a != ids.Stable("plan", "pg", "small") {
		t.Error("not the same twice")
	}
	for _, other := range [][]string{{"plan", "pg", "smal", "l"}, {"plan", "pgsmall"}, {"plan", "pg", "small", ""}, {"pg", "plan", "small"}, {}} {
		if ids.Stable(other...) == a {
			t.Errorf("%q clashes", other)
		}
	}
}
