package broker

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

func TestTheQueueShowsWhatFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		tasks.Handle(m.Tasks, "broken", func(context.Context, struct{}) error { return fault.Unavailable.Errorf("No paper.") })
		m.Calendar.Handle("late", func(context.Context, string, time.Time) (time.Time, error) {
			return time.Time{}, fault.Unavailable.Errorf("No ink.")
		})
		err := m.DB.Tx(t.Context(), func(ctx context.Context) error {
			if err := m.Tasks.Enqueue(ctx, "broken", "broken/1", struct{}{}, ""); err != nil {
				return err
			}
			return m.Calendar.Put(ctx, "late", "row", m.Clock.Now().Add(-time.Minute))
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = m.Queue(t.Context(), ada)
		kind(t, err, fault.Forbidden)
		says := func(q Queue, calendar bool, note string) bool {
			return slices.ContainsFunc(q.Failing, func(f Failing) bool {
				return f.Calendar == calendar && strings.Contains(f.Note, note) && f.Attempts > 0 && !f.Next.IsZero()
			})
		}
		for end := time.Now().Add(30 * time.Second); ; <-time.After(20 * time.Millisecond) {
			q, err := m.Queue(t.Context(), otto)
			if err != nil {
				t.Fatal(err)
			}
			if says(q, false, "No paper.") && says(q, true, "No ink.") {
				return
			}
			if time.Now().After(end) {
				t.Fatalf("%+v", q)
			}
		}
	})
}

func TestOperationsNameTheirInstances(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i := m.made(t, "sync", "orders")
		list, err := m.Operations(t.Context(), otto, false)
		if err != nil || len(list) != 1 || list[0].InstanceName != "orders" {
			t.Fatal(list, err)
		}
		if op, err := m.Operation(t.Context(), ada, i.Operation.ID); err != nil || op.InstanceName != "orders" {
			t.Fatal(op, err)
		}
	})
}

// An operator brings anybody's instance to its plan's maintenance version, and changes nothing else of it.
func TestAnOperatorMaintains(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	i := m.made(t, "maintained", "orders")
	err := m.DB.Tx(t.Context(), func(ctx context.Context) error {
		return m.DB.From(ctx).Exec(`UPDATE instances SET maintenance = '2.0.0' WHERE id = ?`, i.ID).Error
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []UpdateOrder{{Instance: i.ID, Plan: "sync"}, {Instance: i.ID, Maintenance: Newest, Params: raw(`{}`)}, {Instance: i.ID}} {
		_, _, err := m.Update(t.Context(), otto, o)
		kind(t, err, fault.Forbidden)
	}
	_, _, err = m.Update(t.Context(), eve, UpdateOrder{Instance: i.ID, Maintenance: Newest})
	kind(t, err, fault.Forbidden)
	_, _, err = m.Update(t.Context(), bob, UpdateOrder{Instance: i.ID, Maintenance: Newest})
	kind(t, err, fault.NotFound)
	i, fresh, err := m.Update(t.Context(), otto, UpdateOrder{Instance: i.ID, Maintenance: Newest})
	if err != nil || !fresh {
		t.Fatal(fresh, err)
	}
	m.ends(t, i.Operation.ID, succeeded)
	if got := m.sees(t, i.ID); got.Maintenance == "2.0.0" {
		t.Fatal(got)
	}
	if e := m.deed(t, "instance.update"); e.Who != otto.Label() {
		t.Fatal(e)
	}
}

// TestASealedRowThatDoesNotOpenIsItsOwnFailure: an instance whose parameters cannot be opened is listed with how often, since when and why it
// fails, as an operation and not only as a task, and its provider goes on serving the others.
func TestASealedRowThatDoesNotOpenIsItsOwnFailure(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		bad := m.made(t, "sync", "orders")
		err := m.DB.Tx(t.Context(), func(ctx context.Context) error {
			return m.DB.From(ctx).Exec(`UPDATE instances SET params = 'spoilt' WHERE id = ?`, bad.ID).Error
		})
		if err != nil {
			t.Fatal(err)
		}
		gone, err := m.Deprovision(t.Context(), ada, bad.ID)
		if err != nil {
			t.Fatal(err)
		}
		var q Queue
		for end := time.Now().Add(60 * time.Second); ; <-time.After(20 * time.Millisecond) {
			if q, err = m.Queue(t.Context(), otto); err != nil {
				t.Fatal(err)
			}
			if len(q.Operations) == 1 && q.Operations[0].Stuck != "" {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%+v", q)
			}
		}
		stuck, err := m.Operations(t.Context(), otto, true)
		if err != nil || len(stuck) != 1 || stuck[0].ID != gone.Operation.ID {
			t.Fatal(stuck, err)
		}
		op := q.Operations[0]
		if op.ID != gone.Operation.ID || op.InstanceName != "orders" || op.Failures < 5 || op.FailingSince.Before(op.StartedAt) || !strings.Contains(op.Note, "is no sealed value") {
			t.Fatalf("%+v", op)
		}
		m.made(t, "sync", "invoices")
		again, err := m.RetryOperation(t.Context(), otto, op.ID)
		if err != nil || !again.FailingSince.IsZero() {
			t.Fatal(again, err)
		}
	})
}
