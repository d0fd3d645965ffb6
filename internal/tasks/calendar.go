package tasks

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
)

// Calendar holds what is due by market time: rows (kind, key, due), run in order of due by one function. In normal running a leased task
// runs what is due as the market's clock passes; `dev clock advance` moves the clock from due row to due row itself and answers when all has run.
type Calendar struct{}

// NewCalendar loads the market clock's offset from the store and registers the task that runs what is due.
func NewCalendar(ctx context.Context, db *database.DB, e *Engine, market *clock.Market) (*Calendar, error) {
	panic("unbuilt")
}

// Handle names the function for a kind. It gets the due time and the key, and returns when the row is due next; a zero time ends the row. It must be
// idempotent: it may run again after a crash. An error leaves the row due and stops the run.
func (c *Calendar) Handle(kind string, fn func(ctx context.Context, key string, due time.Time) (next time.Time, err error)) {
	panic("unbuilt")
}

// Put makes a row due, in the caller's transaction or its own; one that exists keeps its time.
func (c *Calendar) Put(ctx context.Context, kind, key string, due time.Time) error { panic("unbuilt") }

// RunDue runs all rows due at or before the market's now, in order of due, and tells how many.
func (c *Calendar) RunDue(ctx context.Context) (int, error) { panic("unbuilt") }

// Advance moves the market's clock forward by d, stopping at each due row on the way to run it, and tells how many ran.
func (c *Calendar) Advance(ctx context.Context, d time.Duration) (int, error) { panic("unbuilt") }
