package latency

import (
	"context"
	"slices"
	"time"
)

// Summary is what many measurements come to.
type Summary struct {
	N        int // how many
	P50, P95 time.Duration
}

// Summarize gives the median and the 95th percentile (nearest rank) of samples; it leaves their order alone.
func Summarize(samples []time.Duration) Summary {
	if len(samples) == 0 {
		return Summary{}
	}
	sorted := slices.Sorted(slices.Values(samples))
	rank := func(percent int) time.Duration { return sorted[max(0, (len(sorted)*percent+99)/100-1)] }
	return Summary{N: len(sorted), P50: rank(50), P95: rank(95)}
}

// What makes a regression: enough measurements on both sides, and a median that has grown by more than noise does.
const (
	fewest = 5
	factor = 2
	slack  = time.Millisecond
)

// Regressed tells whether the way to a backend has become longer: the median now is more than twice the one before, and more than a
// millisecond above it. With fewer than five measurements on either side nothing can be said, and it is false.
func Regressed(before, now Summary) bool {
	return before.N >= fewest && now.N >= fewest && now.P50 > factor*before.P50 && now.P50-before.P50 > slack
}

// Repeat measures the target n times, one after the other, and gives the first answers' durations. One success is enough: the error is the last one
// when nothing answered.
func Repeat(ctx context.Context, t Target, n int) (samples []time.Duration, err error) {
	for range n {
		s, failure := Measure(ctx, t)
		if failure != nil {
			err = failure
			continue
		}
		samples = append(samples, s.First)
	}
	if len(samples) > 0 {
		err = nil
	}
	return samples, err
}
