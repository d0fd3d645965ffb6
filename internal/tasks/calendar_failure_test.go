package tasks_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// A row that fails holds up itself and what must come after it; the others and the clock go on.
func TestFailureStopsOnlyWhatFollowsIt(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		d, end := newDiary(t, db), monthsEnd()
		d.Handle("dunning", func(_ context.Context, key string, due time.Time) (time.Time, error) {
			if key == "broken" {
				panic("its account has no currency")
			}
			d.note("dunning", key, due)
			return due.Add(time.Hour), nil
		})
		d.After("statement", "close") // by way of close, it comes after readings too
		d.Handle("statement", func(_ context.Context, key string, due time.Time) (time.Time, error) {
			d.note("statement", key, due)
			return time.Time{}, nil
		})
		d.put(t, "dunning", "broken", end.Add(-2*time.Hour))
		d.put(t, "dunning", "well", end.Add(-time.Hour))
		d.put(t, "readings", "a", end.Add(-time.Hour))
		d.put(t, "close", "early", end.Add(-90*time.Minute))
		d.put(t, "close", "month", end)
		d.put(t, "statement", "s", end)
		d.put(t, "once", "o", end)
		d.fail = errors.New("the backend does not answer")
		n, err := d.Advance(t.Context(), end.Sub(d.market.Now())+time.Minute)
		day := end.Add(-time.Hour).Format("02T")
		want := []string{day + "22:30 close early", day + "23:00 dunning well", "01T00:00 dunning well", "01T00:00 once o"}
		if n != len(want) || !slices.Equal(d.ran, want) || d.market.Now().Before(end) {
			t.Fatalf("%d, %v, the clock at %s:\n%q", n, err, d.market.Now(), d.ran)
		}
		if !errors.Is(err, d.fail) || !errors.Is(err, fault.Unprocessable) || !strings.Contains(err.Error(), "readings a due") || !strings.Contains(err.Error(), "dunning broken due") ||
			!strings.Contains(err.Error(), "4 rows") || strings.Contains(err.Error(), "currency") || strings.Contains(err.Error(), d.fail.Error()) {
			t.Error(err)
		}
		rows, err := d.Failing(t.Context(), 10)
		if err != nil || len(rows) != 2 || rows[0].Key != "broken" || rows[1].Kind != "readings" || rows[1].Attempt != 1 || rows[1].Note == "" || !rows[1].WakeAt.After(time.Now().Add(-time.Minute)) {
			t.Error(rows, err)
		}
		// killed here, started again, the backend answers: what is due runs in order, and what waited follows
		again := newDiary(t, db)
		n, err = again.RunDue(t.Context())
		if want := []string{day + "23:00 readings a", "01T00:00 readings a", "01T00:00 close month"}; n != 3 || err != nil || !slices.Equal(again.ran, want) {
			t.Fatal(n, err, again.ran)
		}
		if rows, err := again.Failing(t.Context(), 10); err != nil || len(rows) != 1 || rows[0].Key != "broken" {
			t.Error("the mended row is still listed", rows, err)
		}
	})
}

// In normal running a row that fails is tried again after a pause, and neither the rows behind it nor the clock wait.
func TestEngineGoesOnPastARowThatFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		r := newRig(t, db, "n", 1, nil)
		c, err := tasks.NewCalendar(t.Context(), db, r.Engine, &clock.Market{})
		if err != nil {
			t.Fatal(err)
		}
		tries, others, began := make(chan int64, 10), make(chan int64, 10), time.Now()
		var attempt int64
		c.Handle("bad", func(context.Context, string, time.Time) (time.Time, error) {
			if attempt++; attempt < 3 {
				return time.Time{}, errors.New("not now")
			}
			tries <- attempt
			return time.Time{}, nil
		})
		c.Handle("good", func(_ context.Context, _ string, due time.Time) (time.Time, error) {
			others <- 1
			return due.Add(time.Hour), nil
		})
		for _, kind := range []string{"bad", "good"} {
			if err := c.Put(t.Context(), kind, "k", began.Add(-time.Second)); err != nil {
				t.Fatal(err)
			}
		}
		r.start()
		next(t, others)
		if n := next(t, tries); n != 3 || time.Since(began) < 3*time.Second {
			t.Errorf("try %d after %s, want two pauses of 1 s and 2 s", n, time.Since(began))
		}
	})
}
