package tasks

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Calendar holds what is due by market time: rows (kind, key, due), run in order of due by one function. In normal running a leased task
// runs what is due as the market's clock passes; `dev clock advance` moves the clock from due row to due row itself and answers when all has run.
// Rows due at the same instant run in order of their kinds (see After), then of their keys.
type Calendar struct {
	db     *database.DB
	market *clock.Market
	run    sync.Mutex // one run at a time in this process; the task's lease keeps other processes away

	mu       sync.Mutex // guards what follows
	handlers map[string]calendarFunc
	after    map[string][]string
}

type calendarFunc func(ctx context.Context, key string, due time.Time) (next time.Time, err error)

const (
	calendarKind  = "calendar.run"
	calendarEvery = time.Second
)

// NewCalendar loads the market clock's offset from the store and registers the task that runs what is due.
func NewCalendar(ctx context.Context, db *database.DB, e *Engine, market *clock.Market) (*Calendar, error) {
	c := &Calendar{db: db, market: market, handlers: map[string]calendarFunc{}, after: map[string][]string{}}
	ahead, err := c.savedOffset(ctx)
	if err != nil {
		return nil, fault.Unavailable.Wrap(err, "The market clock could not be read.")
	}
	market.SetOffset(ahead)
	Handle(e, calendarKind, func(ctx context.Context, _ struct{}) error {
		if !c.run.TryLock() {
			return nil // an Advance is at it
		}
		defer c.run.Unlock()
		_, err := c.runUntil(ctx, c.market.Now)
		return err
	})
	if err := e.Every(ctx, calendarKind, calendarEvery); err != nil {
		return nil, fault.Unavailable.Wrap(err, "The calendar could not be set up.")
	}
	return c, nil
}

// Handle names the function for a kind. It gets the due time and the key, and returns when the row is due next; a zero time ends the row. It must be
// idempotent: it may run again after a crash. An error leaves the row due and stops the run. The function must not call RunDue or Advance.
func (c *Calendar) Handle(kind string, fn func(ctx context.Context, key string, due time.Time) (next time.Time, err error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers[kind] = fn
}

// After says that rows of kind run after the rows of the earlier kinds that are due at the same instant: the close of a month
// comes after the readings of its last hour. Kinds without such a rule run in order of their names.
func (c *Calendar) After(kind string, earlier ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.after[kind] = append(c.after[kind], earlier...)
}

// Put makes a row due, in the caller's transaction or its own; one that exists keeps its time.
func (c *Calendar) Put(ctx context.Context, kind, key string, due time.Time) error {
	err := c.db.Tx(ctx, func(ctx context.Context) error { return c.insertDue(ctx, kind, key, due) })
	if err != nil {
		return fault.Unavailable.Wrap(err, "The calendar could not be written.")
	}
	return nil
}

// RunDue runs all rows due at or before the market's now, in order of due, and tells how many.
func (c *Calendar) RunDue(ctx context.Context) (int, error) {
	c.run.Lock()
	defer c.run.Unlock()
	return c.runUntil(ctx, c.market.Now)
}

// Advance moves the market's clock forward by d, stopping at each due row on the way to run it, and tells how many ran. When a row
// fails or ctx ends, the clock stays where it is then.
func (c *Calendar) Advance(ctx context.Context, d time.Duration) (int, error) {
	if d < 0 {
		return 0, fault.Invalid.Errorf("The market clock moves forward only.").WithHint("Start with a fresh data folder to go back.")
	}
	c.run.Lock()
	defer c.run.Unlock()
	ahead := c.market.Offset() + d
	target := time.Now().Add(ahead)
	n, err := c.runUntil(ctx, func() time.Time { return target })
	if err != nil {
		return n, err
	}
	return n, c.move(ctx, ahead) // the time that the rows took is not taken from what was asked for
}

// runUntil runs row after row, moving the clock to each that lies ahead of it.
func (c *Calendar) runUntil(ctx context.Context, end func() time.Time) (n int, err error) {
	for ; ; n++ {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		row, ok, err := c.next(ctx, end())
		if err != nil {
			return n, fault.Unavailable.Wrap(err, "The calendar could not be read.")
		}
		if !ok {
			return n, nil
		}
		if err := c.reach(ctx, row.due()); err != nil {
			return n, err
		}
		if err := c.runRow(ctx, row); err != nil {
			return n, err
		}
	}
}

// runRow runs one row and writes when it is due next. A process that dies in between runs it again.
func (c *Calendar) runRow(ctx context.Context, row dueRow) error {
	c.mu.Lock()
	fn := c.handlers[row.Kind]
	c.mu.Unlock()
	next, err := fn(ctx, row.Key, row.due())
	if err != nil {
		return err
	}
	if !next.IsZero() && !next.After(row.due()) {
		return fault.Internal.Errorf("The calendar's %s wants to run again at or before the time it just ran at.", row.Kind)
	}
	err = c.db.Tx(ctx, func(ctx context.Context) error {
		if err := Hold(ctx); err != nil {
			return err
		}
		return c.moveDue(ctx, row, next)
	})
	if err != nil {
		return fault.Unavailable.Wrap(err, "The calendar could not be written.")
	}
	return nil
}

// reach moves the market's clock to at when it lies ahead, in the store first: a clock that fell back after a restart would bill an hour twice.
func (c *Calendar) reach(ctx context.Context, at time.Time) error {
	return c.move(ctx, time.Until(at))
}

// move sets how far the market's clock is ahead of the wall's; it never goes back.
func (c *Calendar) move(ctx context.Context, ahead time.Duration) error {
	if ahead <= c.market.Offset() {
		return nil
	}
	if err := c.db.Tx(ctx, func(ctx context.Context) error { return c.saveOffset(ctx, ahead) }); err != nil {
		return fault.Unavailable.Wrap(err, "The market clock could not be moved.")
	}
	c.market.SetOffset(ahead)
	return nil
}

// next gives the first row due at or before end whose kind this process knows. Kinds it does not know wait for a newer process.
func (c *Calendar) next(ctx context.Context, end time.Time) (row dueRow, ok bool, err error) {
	c.mu.Lock()
	kinds := make([]string, 0, len(c.handlers))
	for kind := range c.handlers {
		kinds = append(kinds, kind)
	}
	ranked := c.rank(kinds)
	c.mu.Unlock()
	if len(ranked) == 0 {
		return row, false, nil
	}
	return c.firstDue(ctx, ranked, end)
}

// rank sorts kinds by name, then moves each behind what it must follow. A circle is broken by name.
func (c *Calendar) rank(kinds []string) []string {
	slices.Sort(kinds)
	out := make([]string, 0, len(kinds))
	seen := map[string]bool{}
	var visit func(string)
	visit = func(kind string) {
		if seen[kind] {
			return
		}
		seen[kind] = true
		for _, earlier := range c.after[kind] {
			visit(earlier)
		}
		if c.handlers[kind] != nil {
			out = append(out, kind)
		}
	}
	for _, kind := range kinds {
		visit(kind)
	}
	return out
}
