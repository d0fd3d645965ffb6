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

// Tally counts the work that is left, and tells for how long the operation that waits longest has been due. It names no tenant and asks no permission:
// it is what the market's own watchers are shown.
func (b *Broker) Tally(ctx context.Context) (list []Tally, oldest time.Duration, err error) {
	if list, err = b.tallies(ctx); err != nil {
		return nil, 0, err
	}
	since, err := b.dueSince(ctx)
	if err == nil && since > 0 {
		oldest = max(0, time.Duration(wall()-since)*time.Microsecond)
	}
	return list, oldest, err
}

// observe tells whoever counts how long an operation took, once that is committed.
func (b *Broker) observe(ctx context.Context, op operationRow, provider string) {
	if b.Ended != nil {
		took := time.Duration(op.EndedAt-op.StartedAt) * time.Microsecond
		b.DB.AfterCommit(ctx, func() { b.Ended(op.Verb, provider, op.State, took) })
	}
}
