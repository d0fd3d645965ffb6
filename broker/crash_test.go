package broker

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

// The lease passes on between a provider's answer and the row that would keep it, as when a process is killed there: nothing of that step is
// written, and whoever comes next asks again and finds what was made.
func TestAStepThatWasNotKeptIsDoneAgain(t *testing.T) {
	for _, verb := range []string{"provision", "bind", "unbind", "deprovision"} {
		t.Run(verb, func(t *testing.T) {
			dbtest.Each(t, func(t *testing.T, db *database.DB) {
				m := newMarket(t, db)
				var lost atomic.Bool
				m.driver.OnStep(func(v, _, when string) {
					if v == verb && when == "after" && !lost.Swap(true) {
						passOn(t, db)
					}
				})
				i := m.made(t, "sync", "orders")
				bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID, App: "app_a"})
				if err != nil {
					t.Fatal(err)
				}
				m.ends(t, bd.Operation.ID, succeeded)
				c, err := m.Credentials(t.Context(), ada, bd.ID)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := m.driver.Connect(c.Values); err != nil {
					t.Fatal("what was kept does not let in", err)
				}
				if bd, err = m.Unbind(t.Context(), ada, bd.ID); err != nil {
					t.Fatal(err)
				}
				m.ends(t, bd.Operation.ID, succeeded)
				if _, err := m.driver.Connect(c.Values); err == nil {
					t.Fatal("an ended binding still lets in")
				}
				if i, err = m.Deprovision(t.Context(), ada, i.ID); err != nil {
					t.Fatal(err)
				}
				m.ends(t, i.Operation.ID, succeeded)
				if !lost.Load() || m.driver.Calls(verb) < 2 {
					t.Fatal("the step was not repeated", m.driver.Calls(verb))
				}
				m.leavesNothing(t, i.ID)
			})
		})
	}
}

// passOn takes every lease away, as a boot after a crash does, and moves the fence.
func passOn(t *testing.T, db *database.DB) {
	err := db.Tx(context.Background(), func(ctx context.Context) error {
		return db.From(ctx).Exec(`UPDATE tasks SET fence = fence + 1, lease_until = 0, wake_at = 0 WHERE kind = 'operation'`).Error
	})
	if err != nil {
		t.Error(err)
	}
}

// leavesNothing checks that an instance was made once, charged once, and is gone from the backend.
func (m *market) leavesNothing(t *testing.T, instance string) {
	t.Helper()
	if left, err := m.driver.Leftovers(); err != nil || len(left) > 0 {
		t.Fatal("left behind", left, err)
	}
	if n := m.driver.Made(instance); n != 1 {
		t.Fatal("made", n, "times")
	}
	var starts, stops int
	for _, l := range m.books.all() {
		if strings.HasPrefix(l, "start") {
			starts++
		}
		if l == "stop" {
			stops++
		}
	}
	if starts != 1 || stops != 1 {
		t.Fatal("charged", m.books.all())
	}
}

func TestAnotherProcessGoesOnWithWhatOneBegan(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		first := newMarket(t, db)
		hold := first.driver.Hang("provision")
		i, _, err := first.Provision(t.Context(), ada, order("sync", "orders"))
		if err != nil {
			t.Fatal(err)
		}
		<-hold.Entered
		first.stop()
		second := join(t, db, first.driver, first.books, first.key, "two")
		hold.Release()
		second.ends(t, i.Operation.ID, succeeded)
		if got := second.books.all(); !slices.Equal(got, []string{"admit orders", "start acc_a orders sync"}) {
			t.Fatal(got)
		}
	})
}

func TestNoProviderIsCalledInsideATransaction(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	err := m.DB.Tx(t.Context(), func(ctx context.Context) error {
		return m.ask(ctx, func(context.Context) error { t.Error("called"); return nil })
	})
	if err == nil {
		t.Fatal("not refused")
	}
}
