package main

import (
	"context"
	"os"
	"time"

	"github.com/sutlerhq/sutler/providers/latency"
	"github.com/sutlerhq/sutler/web/client"
)

// How a running app's backends are measured: at its start and every minute, none longer than a few seconds.
const (
	probeEvery    = time.Minute
	probePatience = 5 * time.Second

	departPatience = time.Second
)

// attend reports the app's process to the market and how far its backends are, until ctx ends. That it cannot be reported is no reason to
// disturb the app: its command neither waits for this nor hears of it.
func (s *session) attend(ctx context.Context, api *client.Client, app string) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	me, err := api.JoinConsumer(ctx, s.place(), app, client.NewConsumer{Host: host})
	if err != nil {
		return
	}
	defer s.depart(context.WithoutCancel(ctx), api, me.ID)
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	for {
		_, _ = api.ReportConsumer(ctx, me.ID, client.ConsumerReport{Samples: probeAll(ctx, me.Probes)}) // a market that is away is told the next time
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// depart says that the process has ended. What a market that is away is not told it finds out by itself.
func (s *session) depart(ctx context.Context, api *client.Client, id string) {
	ctx, cancel := context.WithTimeout(ctx, departPatience)
	defer cancel()
	_ = api.LeaveConsumer(ctx, id)
}

// probeAll measures every backend once; what does not answer is left out.
func probeAll(ctx context.Context, probes []client.Probe) []client.Sample {
	samples := []client.Sample{}
	for _, p := range probes {
		one, cancel := context.WithTimeout(ctx, probePatience)
		took, err := latency.Measure(one, latency.Target{Address: p.Address, Protocol: p.Protocol})
		cancel()
		if err == nil {
			samples = append(samples, client.Sample{Binding: p.Binding, ConnectUs: took.Connect.Microseconds(), FirstUs: took.First.Microseconds()})
		}
	}
	return samples
}
