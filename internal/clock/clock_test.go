package clock_test

import (
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
)

func TestMarketRunsAheadOfTheWall(t *testing.T) {
	var m clock.Market
	if gap := m.Now().Sub(clock.Wall{}.Now()); gap > time.Minute || gap < -time.Minute {
		t.Error("the zero market runs with the wall, not", gap)
	}
	m.SetOffset(48 * time.Hour)
	if gap := m.Now().Sub(clock.Wall{}.Now()); gap > 49*time.Hour || gap < 47*time.Hour || m.Offset() != 48*time.Hour {
		t.Error(gap, m.Offset())
	}
}

func TestClocksAreUTC(t *testing.T) {
	at := time.Date(2026, 3, 29, 3, 0, 0, 0, time.FixedZone("CEST", 7200))
	for _, c := range []clock.Clock{clock.Wall{}, &clock.Market{}, clock.Fixed(at)} {
		if c.Now().Location() != time.UTC {
			t.Errorf("%T gives %v", c, c.Now().Location())
		}
	}
	if !clock.Fixed(at).Now().Equal(at) {
		t.Error("a fixed clock moved")
	}
}
