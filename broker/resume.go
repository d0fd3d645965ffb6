package broker

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// keepGoing tries what waits for a provider again as soon as that one is back, whatever the wait had grown to.
func (b *Broker) keepGoing(ctx context.Context, p *providers.Provider) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.Recovered():
		}
		if err := b.resume(ctx, p.Name); err != nil && ctx.Err() == nil {
			b.Log.Error("operations are not resumed and wait for their time", "provider", p.Name, "err", err)
		}
	}
}

// resume makes the operations of a provider's instances due now, or of all instances when none is named.
func (b *Broker) resume(ctx context.Context, provider string) error {
	instances, err := b.delayed(ctx, provider)
	if err != nil {
		return err
	}
	for _, id := range instances {
		err := b.DB.Tx(ctx, func(ctx context.Context) error {
			// The task's row first: a step that is being settled ends before its wait is cut.
			if err := b.wake(ctx, id); err != nil {
				return err
			}
			return b.hasten(ctx, id)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// pause is the wait before the next try after an error. A provider that is away wakes its operations itself when it is back; one that
// answers again while this step was still failing has done so already, so then the wait stays short.
func (b *Broker) pause(provider string, failures int64, err error) time.Duration {
	wait, k := backoff(failures), fault.KindOf(err)
	if p, ok := b.Providers.Get(provider); ok && p.Status() == providers.Up && (k == fault.Unavailable || k == fault.Busy) {
		wait = min(wait, lastAway)
	}
	return wait
}
