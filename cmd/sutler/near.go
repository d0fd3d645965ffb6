package main

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/providers/latency"
	"github.com/sutlerhq/sutler/web/client"
)

// How providers are measured from here: a few times each, all at once, and not for long.
const (
	nearTries    = 5
	nearPatience = 3 * time.Second
)

// measure tells how far providers are from here, by name: the median of a few first answers. What does not answer is missing.
func (s *session) measure(ctx context.Context, api *client.Client) (map[string]time.Duration, error) {
	targets, err := api.Targets(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, nearPatience)
	defer cancel()
	var all sync.WaitGroup
	took := make([]time.Duration, len(targets))
	for n, t := range targets {
		all.Go(func() {
			samples, err := latency.Repeat(ctx, latency.Target{Address: t.Address, Protocol: t.Protocol}, nearTries)
			if err == nil {
				took[n] = latency.Summarize(samples).P50
			}
		})
	}
	all.Wait()
	near := map[string]time.Duration{}
	for n, t := range targets {
		if took[n] > 0 {
			near[t.Provider] = took[n]
		}
	}
	return near, nil
}

// sayMeasured tells how the providers of offerings were measured, and which of them could not be.
func (s *session) sayMeasured(all []client.Offering, near map[string]time.Duration) {
	var missing []string
	for _, o := range all {
		if _, known := near[o.Provider]; !known && !slices.Contains(missing, o.Provider) {
			missing = append(missing, o.Provider)
		}
	}
	s.say("RTT is the median of %d tries from this host, until the first answer.", nearTries)
	if len(missing) > 0 {
		s.say("Not measured, as they do not answer here or have nothing to measure yet:\n%s", strings.Join(missing, ", "))
	}
}

// distance writes how far something is; "–" where that is not known.
func distance(near map[string]time.Duration, provider string) string {
	d, known := near[provider]
	if !known {
		return "–"
	}
	return clock.Brief(d)
}
