package tasks_test

import (
	"context"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/tasks"
)

func TestOneAdvanceRemembers(t *testing.T) {
	db := dbtest.New(t)
	r := newRig(t, db, "n", 1, func(context.Context, string) error { return nil })
	c, err := tasks.NewCalendar(t.Context(), db, r.Engine, new(clock.Market))
	if err != nil {
		t.Fatal(err)
	}
	found, ran := 0, 0
	c.Handle("hour", func(ctx context.Context, _ string, due time.Time) (time.Time, error) {
		ran++
		if v, ok := tasks.Recall(ctx, "it"); ok && v == "seen" {
			found++
		}
		tasks.Remember(ctx, "it", "seen")
		return due.Add(time.Hour), nil
	})
	if err := c.Put(t.Context(), "hour", "it", time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Advance(t.Context(), 200*time.Hour); err != nil || found == 0 {
		t.Fatal(found, err)
	}
	found, ran = 0, 0
	if _, err := c.Advance(t.Context(), time.Hour); err != nil || ran != 1 || found != 0 {
		t.Fatal("an Advance remembers what another one found", ran, found, err)
	}
	if _, ok := tasks.Recall(t.Context(), "it"); ok {
		t.Fatal("something is remembered outside of an Advance")
	}
}
