package tasks

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// failures are the rows that failed in one run, in order.
type failures struct {
	rows   []dueRow
	errs   []error
	reason []string // what may be told of each
}

// tell makes one error of them, nil when there are none. It names each row, and errors.Is finds what each failed with.
func (f failures) tell(what string) error {
	if len(f.rows) == 0 {
		return nil
	}
	parts := make([]string, len(f.rows))
	for i, r := range f.rows {
		parts[i] = r.Kind + " " + r.Key + " due " + r.due().Format(time.RFC3339) + ": " + f.reason[i]
	}
	return fault.Unprocessable.Wrap(errors.Join(f.errs...), "%s: %s", what, strings.Join(parts, "; ")).
		WithHint("What failed is tried again by itself, and what must come after it waits.")
}

// runNow runs what is due until end, also what waits for another attempt: somebody asked for it.
func (c *Calendar) runNow(ctx context.Context, end func() time.Time) (int, failures, error) {
	if err := c.db.Tx(ctx, c.endPauses); err != nil {
		return 0, failures{}, fault.Unavailable.Wrap(err, "The calendar could not be written.")
	}
	return c.runUntil(ctx, end)
}

// runUntil runs row after row, moving the clock to each that lies ahead of it. It tries each row that fails once; err is what ends the run itself.
func (c *Calendar) runUntil(ctx context.Context, end func() time.Time) (n int, failed failures, err error) {
	for began := time.Now(); ; {
		if err := ctx.Err(); err != nil {
			return n, failed, err
		}
		row, ok, err := c.next(ctx, end(), began)
		if err != nil {
			return n, failed, fault.Unavailable.Wrap(err, "The calendar could not be read.")
		}
		if !ok {
			return n, failed, nil
		}
		if err := c.reach(ctx, row.due()); err != nil {
			return n, failed, err
		}
		next, why := c.try(ctx, row)
		if ctx.Err() != nil || errors.Is(why, ErrFenced) {
			return n, failed, errors.Join(ctx.Err(), why)
		}
		note := ""
		if why == nil {
			n++
		} else {
			note = c.engine.tell(ctx, "calendar/"+row.Kind, row.Key, row.Attempt+1, why)
			failed.rows, failed.errs, failed.reason = append(failed.rows, row), append(failed.errs, why), append(failed.reason, note)
		}
		if err := c.settle(ctx, row, next, why != nil, note); err != nil {
			return n, failed, err
		}
	}
}

// try runs one row's function. A panic is its failure.
func (c *Calendar) try(ctx context.Context, row dueRow) (next time.Time, err error) {
	c.mu.Lock()
	fn := c.handlers[row.Kind]
	c.mu.Unlock()
	defer c.engine.caught(ctx, row.Kind, row.Key, &err)
	next, err = fn(ctx, row.Key, row.due())
	if err == nil && !next.IsZero() && !next.After(row.due()) {
		err = fault.Internal.Errorf("The calendar's %s wants to run again at or before the time it just ran at.", row.Kind)
	}
	return next, err
}

// settle writes when a row is due next or, when it failed, why and when it is tried again. A process that dies before runs the row again.
func (c *Calendar) settle(ctx context.Context, row dueRow, next time.Time, failed bool, note string) error {
	err := c.db.Tx(ctx, func(ctx context.Context) error {
		if err := Hold(ctx); err != nil {
			return err
		}
		if failed {
			return c.noteFailure(ctx, row, time.Now().Add(backoff(row.Attempt+1)), note)
		}
		return c.moveDue(ctx, row, next)
	})
	if err != nil && !errors.Is(err, ErrFenced) {
		return fault.Unavailable.Wrap(err, "The calendar could not be written.")
	}
	return err
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

// next gives the first row due at or before end whose kind this process knows, that has not failed since began, and that waits for no other.
// Kinds it does not know wait for a newer process.
func (c *Calendar) next(ctx context.Context, end, began time.Time) (row dueRow, ok bool, err error) {
	c.mu.Lock()
	kinds := make([]string, 0, len(c.handlers))
	for kind := range c.handlers {
		kinds = append(kinds, kind)
	}
	ranked := c.rank(kinds)
	before := map[string][]string{}
	for _, kind := range ranked {
		before[kind] = c.before(kind)
	}
	c.mu.Unlock()
	if len(ranked) == 0 {
		return row, false, nil
	}
	return c.firstDue(ctx, ranked, before, end, began)
}

// before gives the kinds that this process knows and that kind comes after, by way of others too.
func (c *Calendar) before(kind string) (kinds []string) {
	seen := map[string]bool{kind: true}
	for rest := c.after[kind]; len(rest) > 0; {
		k := rest[0]
		rest = rest[1:]
		if seen[k] {
			continue
		}
		seen[k] = true
		rest = append(slices.Clone(c.after[k]), rest...)
		if c.handlers[k] != nil {
			kinds = append(kinds, k)
		}
	}
	return kinds
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
