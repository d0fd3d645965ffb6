package fault_test

import (
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
)

func TestNearest(t *testing.T) {
	known := []string{"region", "provider", "plan", "name"}
	for word, want := range map[string]string{"regoin": "region", "plans": "plan", "provdier": "provider", "colour": "", "x": "", "name": "name"} {
		if got := fault.Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}
