package main

import (
	"context"
	"errors"
	"maps"
	"os"
	"time"

	"github.com/sutlerhq/sutler/providers/latency"
	"github.com/sutlerhq/sutler/web/client"
)

// How long a running app's backends are measured at most, and how long the market is told that it has ended.
const (
	probePatience  = 5 * time.Second
	departPatience = time.Second
)

// attend reports the app's process to the market and how far its backends are, until ctx ends. That it cannot be reported is no reason to
// disturb the app: its command neither waits for this nor hears of it. When the app's environment is not the one that it was started with any more,
// changed is told.
func (s *session) attend(ctx context.Context, api *client.Client, r running, changed chan<- struct{}) {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	me, err := api.JoinConsumer(ctx, s.place(), r.app, client.NewConsumer{Host: host})
	if err != nil {
		return
	}
	if r.watch { // what changed between the question for the environment and now belongs to the version that we joined with
		if vars, err := api.Variables(ctx, s.place(), r.app); err == nil && !maps.Equal(vars, r.vars) {
			changed <- struct{}{}
		}
	}
	defer s.depart(context.WithoutCancel(ctx), api, me.ID)
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	for {
		now, err := api.ReportConsumer(ctx, me.ID, client.ConsumerReport{Samples: probeAll(ctx, me.Probes)}) // a market that is away is told the next time
		if err == nil && !now.Current {
			select {
			case changed <- struct{}{}:
			default: // told before
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// newPatience is how long a market that is away is asked for a new environment; variablesPause is between two questions.
const (
	newPatience    = time.Minute
	variablesPause = time.Second
)

// newVariables asks for the app's environment. When the market cannot be reached for a while the command goes on with what it had: that is better than
// nothing.
func (s *session) newVariables(ctx context.Context, api *client.Client, r running) (map[string]string, error) {
	deadline := time.Now().Add(newPatience)
	for {
		vars, err := api.Variables(ctx, s.place(), r.app)
		if _, refused := errors.AsType[*client.Error](err); err == nil || refused {
			return vars, err
		}
		if time.Now().After(deadline) {
			s.say("sutler: The market cannot be asked for the new environment: the command is started with the old one.")
			return r.vars, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(variablesPause):
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
