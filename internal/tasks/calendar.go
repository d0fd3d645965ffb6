package tasks

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Calendar holds what is due by market time: rows (kind, key, due), run in order of due by one function. In normal running a leased task
// runs what is due as the market's clock passes; `dev clock advance` moves the clock from due row to due row itself and answers when all has run.
// Rows due at the same instant run in order of their kinds (see After), then of their keys. A row that fails keeps its due time and is tried again
// with growing pauses (see Failing); only rows that must come after it wait for it.
type Calendar struct {
	db     *database.DB
	engine *Engine // its logger is ours too
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
	c := &Calendar{db: db, engine: e, market: market, handlers: map[string]calendarFunc{}, after: map[string][]string{}}
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
		_, _, err := c.runUntil(ctx, c.market.Now) // what failed is noted at its row, which is tried again
		return err
	})
	if err := e.Every(ctx, calendarKind, calendarEvery); err != nil {
		return nil, fault.Unavailable.Wrap(err, "The calendar could not be set up.")
	}
	return c, nil
}

// Handle names the function for a kind. It gets the due time and the key, and returns when the row is due next; a zero time ends the row. It must be
// idempotent: it may run again after a crash. An error leaves the row due, to be tried again; other rows go on. The function must not call RunDue or Advance.
func (c *Calendar) Handle(kind string, fn func(ctx context.Context, key string, due time.Time) (next time.Time, err error)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.handlers[kind] = fn
}

// After says that rows of kind run after the rows of the earlier kinds that are due before or at the same instant, and wait while one of those
// fails: the close of a month comes after the readings of its last hour. Kinds without such a rule run in order of their names and wait for nobody.
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

// RunDue runs all rows due at or before the market's now, in order of due, and tells how many ran. Rows that failed before are tried at once.
// The error names those that failed.
func (c *Calendar) RunDue(ctx context.Context) (int, error) {
	c.run.Lock()
	defer c.run.Unlock()
	n, failed, err := c.runNow(ctx, c.market.Now)
	if err == nil {
		err = failed.tell("What is due")
	}
	return n, err
}

// Advance moves the market's clock forward by d, stopping at each due row on the way to run it, and tells how many ran. A row that fails is left
// to be tried again, the others and the clock go on, and the error names it. When ctx ends or the store fails, the clock stays where it is then.
func (c *Calendar) Advance(ctx context.Context, d time.Duration) (int, error) {
	if d < 0 {
		return 0, fault.Invalid.Errorf("The market clock moves forward only.").WithHint("Start with a fresh data folder to go back.")
	}
	c.run.Lock()
	defer c.run.Unlock()
	ahead := c.market.Offset() + d
	target := time.Now().Add(ahead)
	n, failed, err := c.runNow(remembering(ctx), func() time.Time { return target })
	if err != nil {
		return n, err
	}
	if err := c.move(ctx, ahead); err != nil { // the time that the rows took is not taken from what was asked for
		return n, err
	}
	return n, failed.tell("The clock was moved and " + strconv.Itoa(n) + " rows of the calendar ran, but not all")
}
