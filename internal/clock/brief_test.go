package clock_test

import (
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
)

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0s", 12_345: "10µs", 456_789: "460µs", 1_234_567: "1.2ms", 45_678_901: "45.7ms", 123_456_789: "123ms", 2_345_678_901: "2.346s",
	} {
		if got := clock.Brief(d); got != want {
			t.Errorf("%d ns is %s, want %s", d, got, want)
		}
	}
}
