package billing_test

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// till is a collector that answers what a test wants.
type till struct {
	mu     sync.Mutex
	calls  []billing.Delivery
	answer func(ctx context.Context, n int, d billing.Delivery) error
	rang   chan int
}

func newTill(answer func(ctx context.Context, n int, d billing.Delivery) error) *till {
	return &till{answer: answer, rang: make(chan int, 10)}
}

func (c *till) Push(ctx context.Context, d billing.Delivery) error {
	c.mu.Lock()
	c.calls = append(c.calls, d)
	n := len(c.calls)
	c.mu.Unlock()
	defer func() { c.rang <- n }()
	return c.answer(ctx, n, d)
}

// work runs the queue until the collector was called n times and the invoice says what is wanted.
func (h *house) work(c *till, n int, number, want string) {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 20*time.Second)
	defer cancel()
	h.ok(h.tasks.Start(ctx))
	for called := 0; called < n; {
		select {
		case called = <-c.rang:
		case <-ctx.Done():
			h.Fatal("the collector was not called ", n, " times")
		}
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		i, err := h.Invoice(h.Context(), owner, number)
		h.ok(err)
		if i.Sent == want {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			h.Fatalf("Sent is %q, want %q", i.Sent, want)
		}
	}
}

func TestTheOutboxIsTakenUpUntilItIsSent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		c := newTill(func(ctx context.Context, n int, d billing.Delivery) error {
			if n == 1 {
				if err := d.Save(ctx, "cus_1", map[string]int{"step": 1}); err != nil {
					return err
				}
				return fault.Unavailable.Errorf("The till is closed.")
			}
			return nil
		})
		h := newHouse(t, db, func(b *billing.Config) { b.Collector = c })
		h.autumn()
		i := h.end()
		if i.Sent != "sending" {
			t.Error(i.Sent)
		}
		h.work(c, 2, i.Number, "sent")
		var progress struct{ Step int }
		if err := json.Unmarshal(c.calls[1].Progress, &progress); err != nil || progress.Step != 1 || c.calls[1].Customer != "cus_1" {
			t.Errorf("the second try did not go on from the first: %s %q", c.calls[1].Progress, c.calls[1].Customer)
		}
		if c.calls[1].Invoice.Total != "20.94" || len(c.calls[1].Invoice.Lines) != 4 {
			t.Errorf("%+v", c.calls[1].Invoice)
		}
		verified(h, i.Number)
	})
}

func TestWhatIsRefusedForGoodSaysWhy(t *testing.T) {
	c := newTill(func(context.Context, int, billing.Delivery) error {
		return fault.Unprocessable.Errorf("It is refused.")
	})
	h := newHouse(t, dbtest.New(t), func(b *billing.Config) { b.Collector = c })
	h.autumn()
	h.work(c, 1, h.end().Number, "not sent: It is refused.")
}

func TestInvoicesIssuedBeforeThereWasACollectorAreSentLater(t *testing.T) {
	h := newHouse(t, dbtest.New(t))
	h.autumn()
	i := h.end()
	if i.Sent != "not sent" {
		t.Fatal(i.Sent)
	}
	c := newTill(func(context.Context, int, billing.Delivery) error { return nil })
	var err error
	h.Ledger, err = billing.New(t.Context(), h.again(c))
	h.ok(err)
	h.work(c, 1, i.Number, "sent")
}
