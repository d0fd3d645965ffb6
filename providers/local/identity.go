package local

import (
	"context"
	"syscall"
	"time"
)

// identity names one process for good. Its number alone does not: numbers are used again, within one boot and after the next.
type identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // clock ticks since the boot
	Boot  string `json:"boot"`
}

func (i identity) alive() bool {
	now, err := identify(i.PID)
	return err == nil && i.PID != 0 && now == i
}

// ended waits for the process to end; false when ctx ended first.
func (i identity) ended(ctx context.Context) bool {
	for i.alive() {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(5 * beat):
		}
	}
	return true
}

// end asks the process to stop, kills it when it does not in time, and returns when it is gone.
func (i identity) end(ask syscall.Signal) error {
	if err := i.signal(ask); err != nil {
		return err
	}
	for _, wait := range []time.Duration{patience, patience} {
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		gone := i.ended(ctx)
		cancel()
		if gone {
			return nil
		}
		if err := i.signal(syscall.SIGKILL); err != nil {
			return err
		}
	}
	return context.DeadlineExceeded
}
