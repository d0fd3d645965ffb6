package latency

import (
	"net"
	"testing"
	"time"
)

func many(n int, d time.Duration) []time.Duration {
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = d
	}
	return list
}

func TestSummarizeTakesTheNearestRank(t *testing.T) {
	var hundred []time.Duration
	for i := 100; i > 0; i-- {
		hundred = append(hundred, time.Duration(i))
	}
	for _, c := range []struct {
		samples []time.Duration
		want    Summary
	}{
		{nil, Summary{}},
		{[]time.Duration{7}, Summary{1, 7, 7}},
		{[]time.Duration{9, 1}, Summary{2, 1, 9}},
		{hundred, Summary{100, 50, 95}},
	} {
		if got := Summarize(c.samples); got != c.want {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
	if hundred[0] != 100 {
		t.Error("the samples were put into another order")
	}
}

func TestRegressedIsNeitherNoiseNorTooFew(t *testing.T) {
	for _, c := range []struct {
		before, now []time.Duration
		want        bool
	}{
		{many(60, 2*time.Millisecond), many(15, 9*time.Millisecond), true},
		{many(60, 2*time.Millisecond), many(15, 4*time.Millisecond), false},     // not more than twice
		{many(60, 100*time.Microsecond), many(15, 900*time.Microsecond), false}, // under a millisecond
		{many(4, 2*time.Millisecond), many(15, 9*time.Millisecond), false},      // too few before
		{many(60, 2*time.Millisecond), many(4, 9*time.Millisecond), false},      // too few now
		{many(60, 9*time.Millisecond), many(15, 2*time.Millisecond), false},     // faster
	} {
		if got := Regressed(Summarize(c.before), Summarize(c.now)); got != c.want {
			t.Errorf("%d of %s, then %d of %s: %t", len(c.before), c.before[0], len(c.now), c.now[0], got)
		}
	}
}

func TestRepeatCountsWhatAnsweredAndSaysWhyNothingDid(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	there := Target{Address: l.Addr().String(), Protocol: "tcp"}
	if got, err := Repeat(t.Context(), there, 3); err != nil || len(got) != 3 {
		t.Errorf("%v, %v", got, err)
	}
	l.Close()
	if got, err := Repeat(t.Context(), there, 3); err == nil {
		t.Errorf("nobody listens, and it measured %v", got)
	}
}
