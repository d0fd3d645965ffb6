package broker

import (
	"context"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// waiting orders an instance from a provider that is away and gives the operation once its next try is an hour off.
func (m *market) waiting(t *testing.T) Operation {
	t.Helper()
	p, _ := m.Providers.Get("fakes")
	away := fault.Unavailable.Errorf("Away.")
	m.driver.FailNext("provision", -1, away)
	i, _, err := m.Provision(t.Context(), ada, order("sync", "orders"))
	if err != nil {
		t.Fatal(err)
	}
	m.driver.FailNext("probe", 1, away)
	if p.Probe(t.Context()) == nil {
		t.Fatal("the provider is not away")
	}
	for late := time.Now().Add(20 * time.Second); time.Now().Before(late); {
		var cut int64
		err := m.DB.Tx(t.Context(), func(ctx context.Context) error {
			// Only while no step is running, so that none overwrites it.
			done := m.DB.From(ctx).Exec(`UPDATE operations SET next_at = ? WHERE id = ? AND failures > 0 AND next_at > ?`,
				wall()+time.Hour.Microseconds(), i.Operation.ID, wall()+50_000)
			cut = done.RowsAffected
			return done.Error
		})
		if err != nil {
			t.Fatal(err)
		}
		if cut == 1 {
			m.driver.FailNext("provision", 0, nil)
			return i.Operation
		}
	}
	t.Fatal("no try has failed")
	return Operation{}
}

func TestWorkGoesOnAsSoonAsTheProviderIsBack(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		op := m.waiting(t)
		p, _ := m.Providers.Get("fakes")
		if err := p.Probe(t.Context()); err != nil {
			t.Fatal(err)
		}
		m.ends(t, op.ID, succeeded)
	})
}

func TestARestartTriesAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		first := newMarket(t, db)
		op := first.waiting(t)
		first.stop()
		join(t, db, first.driver, first.books, first.key, "two").ends(t, op.ID, succeeded)
	})
}

func TestTheWaitStaysShortWhenTheProviderIsUp(t *testing.T) {
	m := newMarket(t, dbtest.New(t))
	away := fault.Unavailable.Errorf("Away.")
	if d := m.pause("fakes", 20, away); d > lastAway {
		t.Fatal(d)
	}
	if d := m.pause("fakes", 20, fault.ProviderFailed.Errorf("Broken.")); d < lastRetry/2 {
		t.Fatal(d)
	}
}
