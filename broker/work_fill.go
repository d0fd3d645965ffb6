package broker

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

// The phases of a provision that is filled from a copy. One that was broken off while data went in is begun again with an empty instance.
const (
	phaseMaking  = ""
	phaseMade    = "made"
	phaseFilling = "filling"
)

// How often data are copied into a new instance before that is given up: where something is broken, and where something is away, which is waited for
// some minutes.
const (
	fillTries = 5
	awayTries = 20
)

// missed is the error of a copy that did not come about, beside those of making its instance.
type missed struct{ error }

func (m missed) Unwrap() error { return m.error }

// miss counts a copy that did not come about, and says what becomes of it.
func (j *job) miss(why string, err error) string {
	j.op.Misses++
	switch {
	case definite(err):
		return why
	case j.exhausted(err):
		return fmt.Sprintf("The data could not be copied in, in %d tries. %s", j.op.Misses, why)
	}
	return why + " It is begun again."
}

// exhausted tells whether a copy was tried often enough.
func (j *job) exhausted(err error) bool {
	switch fault.KindOf(err) {
	case fault.Unavailable, fault.Timeout, fault.Busy:
		return err != nil && j.op.Misses >= awayTries
	}
	return err != nil && j.op.Misses >= fillTries
}

// provisionFilled makes the instance, empties it when a former try was broken off, and fills it.
func (b *Broker) provisionFilled(ctx context.Context, p *providers.Provider, j job) (phase string, progress providers.Progress, err error) {
	switch j.op.Phase {
	case phaseMade:
		if strings.HasPrefix(j.op.Source, "instance/") {
			if wait, err := b.waits(ctx, j.told.ID); err != nil || wait != "" {
				return phaseMade, providers.Progress{Note: wait}, err
			}
		}
		if err := b.enter(ctx, j.op.ID, phaseFilling); err != nil {
			return phaseMade, progress, err
		}
		if err := failpoint.Hit("broker", j.op.Verb, "filling"); err != nil {
			return phaseFilling, progress, err
		}
		if err := b.fill(ctx, p, j.told, j.op.Source); err != nil && ctx.Err() != nil {
			return phaseFilling, progress, err // handed over to the next process
		} else if err != nil {
			return phaseFilling, progress, missed{err}
		}
		return phaseFilling, providers.Progress{Done: true}, nil
	case phaseFilling:
		progress, err = p.Deprovision(ctx, j.told)
		if err != nil || !progress.Done {
			return phaseFilling, progress, err
		}
		return phaseMaking, providers.Progress{Note: "The copy is begun again.", RetryAfter: time.Millisecond, State: progress.State}, nil
	default:
		progress, err = p.Provision(ctx, j.told)
		if err != nil || !progress.Done {
			return phaseMaking, progress, err
		}
		progress.Done, progress.Note, progress.RetryAfter = false, "Data are being copied in.", time.Millisecond
		return phaseMade, progress, nil
	}
}

// enter writes down a phase before it begins: whoever comes after a crash must know.
func (b *Broker) enter(ctx context.Context, operation, phase string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	return b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		return b.savePhase(ctx, operation, phase)
	})
}
