package providers

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Status is whether a provider answers.
type Status string

// A provider is Starting until its backend first answered, then Up, or Down while it does not; Cordoned refuses new instances.
const (
	Starting Status = "starting"
	Up       Status = "up"
	Down     Status = "down"
	Cordoned Status = "cordoned"
)

// Probing goes fast while there is something to wait for: a server that starts, for a while, and one that is away. One that answers and refuses, as
// with a wrong password, waits for a person: asking it often locks the account and fills its log.
const (
	probeDeadline = 2 * time.Second
	probeStarting = 50 * time.Millisecond
	probeDown     = 500 * time.Millisecond
	probeRefused  = time.Minute // the longest pause, to which they double
	startingFast  = 100         // probes that come so fast
)

// Status tells how the provider is now. New instances are for those that are Up.
func (p *Provider) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cordoned != "" && p.status == Up {
		return Cordoned
	}
	return p.status
}

// Why says, for people, why the provider is not Up; empty when it is.
func (p *Provider) Why() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cordoned != "" && p.status == Up {
		return p.cordoned
	}
	return p.why
}

// Cordon refuses new instances from now on, saying why; what is there goes on.
func (p *Provider) Cordon(why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cordoned = cmp.Or(why, fmt.Sprintf("%s takes no new instances.", p.Name))
}

// Uncordon takes new instances again.
func (p *Provider) Uncordon() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cordoned = ""
}

// Probe asks the backend once whether it answers, and sets Status by it. A driver that cannot be probed answers nil.
func (p *Provider) Probe(ctx context.Context) error {
	prober, ok := p.driver.(Prober)
	if !ok {
		return nil
	}
	if p.Away {
		return p.notHere()
	}
	_, err := bounded(ctx, min(probeDeadline, p.Deadline), func(ctx context.Context) (struct{}, error) { return struct{}{}, prober.Probe(ctx) })
	if ctx.Err() != nil {
		return p.class(ctx, "answer a probe", ctx.Err()) // whoever asked has gone: that tells nothing
	}
	err = p.class(ctx, "answer a probe", err)
	p.note(err)
	return err
}

// Tell sets the status of a provider that is worked by another process, as that one says it.
func (p *Provider) Tell(s Status, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Away && p.status != s {
		p.log.Info("provider", "status", s, "was", p.status, "why", why, "node", p.Node)
	}
	if p.Away {
		p.status, p.why = s, why
	}
}

// Own tells how the provider itself is, whether it is cordoned or not.
func (p *Provider) Own() (s Status, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status, p.why
}

// notHere is the answer to every call that is another process's to make.
func (p *Provider) notHere() error {
	return fault.Unavailable.Errorf("The backends of %s are at the node %s, and only that one works with them.", p.Name, p.Node)
}

func (p *Provider) note(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.status
	p.count(err)
	switch {
	case err == nil && was != Up:
		p.status, p.why = Up, ""
		select {
		case p.back <- struct{}{}:
		default: // was not heard of yet
		}
		clear(p.unclear)
		p.breaker = p.closedBreaker() // what failed while the backend was away is no reason to hold back now
	case err != nil && was != Starting:
		p.status, p.why = Down, fault.Of(err).Text
	case err != nil:
		if !p.told { // once: a backend that starts is asked often
			p.told = true
			p.log.Warn("provider does not answer yet", "why", fault.Of(err).Text)
		}
		p.why = fault.Of(err).Text
	}
	if p.status != was {
		p.log.Info("provider", "status", p.status, "was", was, "why", p.why)
	}
}

// count tells a server that does not answer from one that answers and refuses.
func (p *Provider) count(err error) {
	switch k := fault.KindOf(err); {
	case err == nil:
		p.silent, p.refused = 0, 0
	case k == fault.Unavailable || k == fault.Timeout:
		p.silent, p.refused = p.silent+1, 0
	default:
		p.refused++
	}
}

// Recovered gives a signal, to one reader, each time the provider has become Up: when its backend answered first, and after each time it was away.
func (p *Provider) Recovered() <-chan struct{} { return p.back }

// Watch probes until ctx ends: fast while the backend starts or is away, every few seconds while it is up, and ever more rarely, once a minute in
// the end, while it refuses.
func (p *Provider) Watch(ctx context.Context) {
	for p.Can(Probes) && !p.Away && ctx.Err() == nil {
		_ = p.Probe(ctx) // Status keeps what it found
		pause := time.NewTimer(p.interval())
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

func (p *Provider) interval() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.refused > 0:
		return min(probeStarting<<min(p.refused, 20), probeRefused)
	case p.status == Starting && p.silent < startingFast:
		return probeStarting
	case p.status == Starting, p.status == Down:
		return min(probeDown, p.Every)
	}
	return p.Every
}
