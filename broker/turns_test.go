package broker

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

func TestASlowProviderGetsNoMoreThanItsShare(t *testing.T) {
	shares := newTurns(8)
	count := func(provider string) (n int) {
		for {
			if _, ok := shares.take(provider, fmt.Sprint(provider, n)); !ok {
				return n
			}
			n++
		}
	}
	if n := count("slow"); n != 4 {
		t.Fatal(n)
	}
	if n := count("other"); n != 2 {
		t.Fatal(n)
	}
	if n := count("third"); n != 1 {
		t.Fatal(n)
	}
	again, ok := shares.take("slow", "slow4") // it waits already
	if ok || again < patienceOfTurns {
		t.Fatal(again, ok)
	}
	shares.take("slow", "slow5")
	var called []string
	for range 4 {
		if next, any := shares.give("slow"); any {
			called = append(called, next)
		}
	}
	if !slices.Equal(called, []string{"slow4", "slow5"}) {
		t.Fatal(called)
	}
	if _, ok := shares.take("slow", "slow4"); !ok || len(shares.waiting["slow"]) != 0 {
		t.Fatal(shares.waiting)
	}
}

// TestASlowProviderDelaysNobodyElse: more calls than there are workers stand still at one provider; the other's work is done meanwhile, and
// what waited is done when the slow one answers again.
func TestASlowProviderDelaysNobodyElse(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		quick := fake.New(fake.Options{Name: "quick"})
		second := providers.New(providers.Settings{Name: "quicks", Region: "here", Driver: "fake"}, quick, slog.New(slog.DiscardHandler))
		if err := second.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		first, _ := m.Providers.Get("fakes")
		m.Providers = providers.NewSet(first, second)
		if _, err := m.Refresh(t.Context(), patience); err != nil {
			t.Fatal(err)
		}
		hold := m.driver.Hang("provision")
		var slow []Instance
		for n := range 3 * m.Tasks.Workers() {
			i, _, err := m.Provision(t.Context(), ada, order("sync", fmt.Sprint("slow-", n)))
			if err != nil {
				t.Fatal(err)
			}
			slow = append(slow, i)
		}
		<-hold.Entered
		o := order("sync", "quick")
		o.Offering = "quick"
		i, _, err := m.Provision(t.Context(), ada, o)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, i.Operation.ID, succeeded)
		bd := m.bound(t, i.ID)
		if bd, err = m.Unbind(t.Context(), ada, bd.ID); err != nil {
			t.Fatal(err)
		}
		m.ends(t, bd.Operation.ID, succeeded)
		for _, i := range slow {
			if op, err := m.Operation(t.Context(), ada, i.Operation.ID); err != nil || op.Done() {
				t.Fatal(op, err)
			}
		}
		hold.Release()
		for _, i := range slow {
			m.ends(t, i.Operation.ID, succeeded)
		}
		if n := m.driver.Made(slow[0].ID); n != 1 {
			t.Fatal(n)
		}
	})
}

// TestReadingsOfASlowProviderDelayNobodyElse: one provider's meters do not answer; the other's are read meanwhile.
func TestReadingsOfASlowProviderDelayNobodyElse(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	first, _ := m.Providers.Get("fakes")
	quick := fake.New(fake.Options{Name: "quick"})
	second := providers.New(providers.Settings{Name: "quicks", Region: "here", Driver: "fake"}, quick, slog.New(slog.DiscardHandler))
	if err := second.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.Providers = providers.NewSet(first, second)
	if _, err := m.Refresh(t.Context(), patience); err != nil {
		t.Fatal(err)
	}
	m.made(t, "sync", "slow")
	o := order("sync", "quick")
	o.Offering = "quick"
	i, _, err := m.Provision(t.Context(), ada, o)
	if err != nil {
		t.Fatal(err)
	}
	m.ends(t, i.Operation.ID, succeeded)
	hold := m.driver.Freeze("read")
	read := make(chan struct{})
	quick.OnStep(func(verb, _, when string) {
		if verb == "read" && when == "before" {
			select {
			case <-hold.Entered:
				close(read)
			case <-time.After(20 * time.Second):
			}
		}
	})
	ended := make(chan error, 1)
	go func() {
		_, err := m.readAll(t.Context(), "hourly", m.Clock.Now())
		ended <- err
	}()
	select {
	case <-read: // both are being read at once
	case <-time.After(25 * time.Second):
		t.Error("one waits for the other")
	}
	hold.Release()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}

// TestEveryVerbThatCannotSucceedEnds: after the plan's patience an operation ends as failed, whatever its verb; a half-made thing is cleaned up by
// the broker, a delete goes on and is listed as stuck.
func TestEveryVerbThatCannotSucceedEnds(t *testing.T) {
	away := fault.Unavailable.Errorf("Away.")
	for verb, begin := range map[string]func(m *market, t *testing.T, i Instance) string{
		verbUpdate: func(m *market, t *testing.T, i Instance) string {
			i, _, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Plan: "sync"})
			if err != nil {
				t.Fatal(err)
			}
			return i.Operation.ID
		},
		verbBind: func(m *market, t *testing.T, i Instance) string {
			bd, _, err := m.Bind(t.Context(), ada, BindOrder{Instance: i.ID})
			if err != nil {
				t.Fatal(err)
			}
			return bd.Operation.ID
		},
		verbRotate: func(m *market, t *testing.T, i Instance) string {
			bd := m.bound(t, i.ID)
			m.driver.FailNext(verbBind, -1, away)
			bd, _, err := m.Rotate(t.Context(), ada, bd.ID)
			if err != nil {
				t.Fatal(err)
			}
			return bd.Operation.ID
		},
		verbUnbind: func(m *market, t *testing.T, i Instance) string {
			bd, err := m.Unbind(t.Context(), ada, m.bound(t, i.ID).ID)
			if err != nil {
				t.Fatal(err)
			}
			return bd.Operation.ID
		},
		verbDeprovision: func(m *market, t *testing.T, i Instance) string {
			i, err := m.Deprovision(t.Context(), ada, i.ID)
			if err != nil {
				t.Fatal(err)
			}
			return i.Operation.ID
		},
	} {
		t.Run(verb, func(t *testing.T) {
			m := newMarket(t, dbtest.New(t))
			i := m.made(t, "rotatable", "orders")
			m.driver.FailNext(verb, -1, away)
			op := begin(m, t, i)
			m.age(t, op)
			m.ends(t, op, failed)
			stuck, err := m.Operations(t.Context(), otto, true)
			if goesOn := verb == verbDeprovision || verb == verbUnbind; err != nil || (len(stuck) == 1) != goesOn {
				t.Fatal(stuck, err)
			}
			m.driver.FailNext(verb, 0, nil)
			m.driver.FailNext(verbBind, 0, nil)
			if verb != verbDeprovision {
				if now := m.sees(t, i.ID); now.State != Ready || now.Plan != "rotatable" {
					t.Fatal(now)
				}
				if i, err = m.Deprovision(t.Context(), ada, i.ID); err != nil {
					t.Fatal(err)
				}
			}
			m.becomes(t, i.ID, Gone)
			m.leavesNothing(t, i.ID)
		})
	}
}
