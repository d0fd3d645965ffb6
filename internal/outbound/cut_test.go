package outbound

import (
	"io"
	"math"
	"strings"
	"testing"
)

// A limit that is no limit, the largest number there is, cuts nothing off.
func TestTheLargestLimitCutsNothingOff(t *testing.T) {
	for _, left := range []int64{5, 6, math.MaxInt64 - 1, math.MaxInt64} {
		text, err := io.ReadAll(&cut{ReadCloser: io.NopCloser(strings.NewReader("whole")), left: left, max: left})
		if err != nil || string(text) != "whole" {
			t.Errorf("%d: %q %v", left, text, err)
		}
	}
}
