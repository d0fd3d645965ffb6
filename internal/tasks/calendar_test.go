package tasks_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// diary is a calendar whose kinds write down what they did.
type diary struct {
	*tasks.Calendar
	market *clock.Market
	ran    []string
	fail   error // of the next readings
}

func newDiary(t *testing.T, db *database.DB) *diary {
	t.Helper()
	d := &diary{market: &clock.Market{}}
	var err error
	if d.Calendar, err = tasks.NewCalendar(t.Context(), db, tasks.New(db, "n", "1", 1), d.market); err != nil {
		t.Fatal(err)
	}
	d.Handle("close", func(_ context.Context, key string, due time.Time) (time.Time, error) {
		d.note("close", key, due)
		return due.AddDate(0, 1, 0), nil
	})
	d.After("close", "readings")
	d.Handle("readings", func(_ context.Context, key string, due time.Time) (time.Time, error) {
		if d.fail != nil {
			return time.Time{}, d.fail
		}
		d.note("readings", key, due)
		return due.Add(time.Hour), nil
	})
	d.Handle("once", func(_ context.Context, key string, due time.Time) (time.Time, error) {
		d.note("once", key, due)
		return time.Time{}, nil
	})
	return d
}

func (d *diary) note(kind, key string, due time.Time) {
	d.ran = append(d.ran, due.Format("02T15:04 ")+kind+" "+key)
	if d.market.Now().Before(due) {
		d.ran = append(d.ran, "the market's clock is not there yet")
	}
}

func (d *diary) put(t *testing.T, kind, key string, due time.Time) {
	t.Helper()
	if err := d.Put(t.Context(), kind, key, due); err != nil {
		t.Fatal(err)
	}
}

// monthsEnd is the first of the next month but one: always ahead of the wall's clock, by whole hours from a known start.
func monthsEnd() time.Time {
	now := time.Now().UTC()
	return time.Date(now.Year(), now.Month()+2, 1, 0, 0, 0, 0, time.UTC)
}

func TestAdvanceRunsInOrderOfDue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		d, end := newDiary(t, db), monthsEnd()
		day := end.Add(-time.Hour).Format("02T")
		d.put(t, "close", "2", end)
		d.put(t, "close", "1", end)
		d.put(t, "readings", "b", end.Add(-2*time.Hour))
		d.put(t, "readings", "a", end.Add(-2*time.Hour))
		d.put(t, "once", "o", end.Add(-90*time.Minute))
		d.put(t, "once", "later", end.AddDate(0, 0, 1))
		d.put(t, "unknown", "x", end.Add(-3*time.Hour)) // no handler: left to a newer process
		d.put(t, "once", "o", end.AddDate(1, 0, 0))     // exists: keeps its time
		n, err := d.Advance(t.Context(), end.Sub(d.market.Now())+30*time.Minute)
		want := []string{
			day + "22:00 readings a", day + "22:00 readings b", day + "22:30 once o", day + "23:00 readings a", day + "23:00 readings b",
			"01T00:00 readings a", "01T00:00 readings b", "01T00:00 close 1", "01T00:00 close 2",
		}
		if err != nil || n != len(want) || !slices.Equal(d.ran, want) {
			t.Fatalf("%d, %v:\n%q\nwant\n%q", n, err, d.ran, want)
		}
		if now := d.market.Now(); now.Before(end.Add(30*time.Minute)) || now.After(end.Add(31*time.Minute)) {
			t.Error("the clock stands at", now)
		}
		if n, err := d.RunDue(t.Context()); n != 0 || err != nil {
			t.Error("ran again", n, err)
		}
		if _, err := d.Advance(t.Context(), -time.Second); !errors.Is(err, fault.Invalid) {
			t.Error("backward", err)
		}
		// another process sees the same time and the rows where they stand
		again := newDiary(t, db)
		if gap := again.market.Now().Sub(d.market.Now()); gap > time.Second || gap < -time.Second {
			t.Error("clocks differ by", gap)
		}
		if n, err := again.Advance(t.Context(), 30*time.Minute); n != 2 || err != nil {
			t.Error(n, err, again.ran)
		}
	})
}

func TestRowThatStandsStillIsRefused(t *testing.T) {
	d := newDiary(t, dbtest.New(t))
	d.Handle("stuck", func(_ context.Context, _ string, due time.Time) (time.Time, error) { return due, nil })
	d.put(t, "stuck", "s", d.market.Now())
	if _, err := d.RunDue(t.Context()); !errors.Is(err, fault.Internal) {
		t.Error(err)
	}
}

func TestPutJoinsTheCallersTransaction(t *testing.T) {
	db := dbtest.New(t)
	d, boom := newDiary(t, db), errors.New("boom")
	err := db.Tx(t.Context(), func(ctx context.Context) error {
		return errors.Join(d.Put(ctx, "once", "o", d.market.Now()), boom)
	})
	if n, rerr := d.RunDue(t.Context()); n != 0 || rerr != nil || !errors.Is(err, boom) {
		t.Error(n, rerr, err)
	}
}

// A process that dies between a handler's end and the writing of the next due time runs the row again.
func TestCrashBehindAHandlerRunsTheRowAgain(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDiary(t, db)
		ctx, crash := context.WithCancel(t.Context())
		d.Handle("once", func(context.Context, string, time.Time) (time.Time, error) { crash(); return time.Time{}, nil })
		d.put(t, "once", "o", d.market.Now().Add(time.Hour))
		if n, err := d.Advance(ctx, 2*time.Hour); n != 0 || err == nil {
			t.Fatal(n, err)
		}
		again := newDiary(t, db)
		if n, err := again.RunDue(t.Context()); n != 1 || err != nil || len(again.ran) != 1 {
			t.Error(n, err, again.ran)
		}
	})
}

// In normal running nobody calls: the engine runs what is due as the market's clock passes, with the lease of its task.
func TestEngineRunsTheCalendar(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, "n", 1, nil)
		c, err := tasks.NewCalendar(t.Context(), db, r.Engine, &clock.Market{})
		if err != nil {
			t.Fatal(err)
		}
		fences := make(chan int64, 10)
		c.Handle("soon", func(ctx context.Context, _ string, due time.Time) (time.Time, error) {
			fences <- tasks.Fence(ctx)
			return due.Add(time.Hour), nil
		})
		r.start()
		if err := c.Put(t.Context(), "soon", "s", time.Now()); err != nil {
			t.Fatal(err)
		}
		if next(t, fences) == 0 {
			t.Error("it ran without a lease")
		}
	})
}

func TestAdvanceGoesExactlyAsFarAsAsked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		d := newDiary(t, db)
		d.put(t, "readings", "hourly", d.market.Now().Truncate(time.Hour).Add(time.Hour))
		for _, step := range []time.Duration{90 * time.Minute, 24 * time.Hour, time.Second} {
			before := d.market.Offset()
			if _, err := d.Advance(t.Context(), step); err != nil {
				t.Fatal(err)
			}
			if moved := d.market.Offset() - before; moved != step {
				t.Errorf("asked for %s, moved by %s", step, moved)
			}
		}
	})
}
