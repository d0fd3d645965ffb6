package broker

import (
	"context"
	"time"
)

// Tally counts operations that have work left and are alike.
type Tally struct {
	State, Verb, Provider string
	Count                 int64
	Stuck                 int64 // of them, those that need a person
}

// Tally counts the work that is left, zeros of every configured provider included, and tells for how long the operation that waits longest has been due. It names no tenant and asks no permission:
// it is what the market's own watchers are shown.
func (b *Broker) Tally(ctx context.Context) (list []Tally, oldest time.Duration, err error) {
	found, err := b.tallies(ctx)
	if err != nil {
		return nil, 0, err
	}
	list = b.withNone(found)
	since, err := b.dueSince(ctx)
	if err == nil && since > 0 {
		oldest = max(0, time.Duration(wall()-since)*time.Microsecond)
	}
	return list, oldest, err
}

// withNone adds what no operation is in now, for each provider that is configured: an alert on a count that is not there never fires.
func (b *Broker) withNone(found []Tally) []Tally {
	type alike struct{ state, verb, provider string }
	seen := map[alike]bool{}
	for _, t := range found {
		seen[alike{t.State, t.Verb, t.Provider}] = true
	}
	for _, p := range b.Providers.All() {
		for _, verb := range verbs() {
			states := []string{inProgress}
			if verb == verbUnbind || verb == verbDeprovision {
				states = append(states, failed) // they alone go on after they failed
			}
			for _, s := range states {
				if !seen[alike{s, verb, p.Name}] {
					found = append(found, Tally{State: s, Verb: verb, Provider: p.Name})
				}
			}
		}
	}
	return found
}

// observe tells whoever counts how long an operation took, once that is committed.
func (b *Broker) observe(ctx context.Context, op operationRow, provider string) {
	if b.Ended != nil {
		took := time.Duration(op.EndedAt-op.StartedAt) * time.Microsecond
		b.DB.AfterCommit(ctx, func() { b.Ended(op.Verb, provider, op.State, took) })
	}
}
