package broker

import (
	"context"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// What an instance was suspended for does not outlive it.
func TestSuspensionsGoWithTheInstance(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i, other := m.made(t, "sync", "orders"), m.made(t, "sync", "stock")
		for _, id := range []string{i.ID, other.ID} {
			if err := db.Tx(t.Context(), func(ctx context.Context) error {
				_, err := m.addSuspension(ctx, suspensionRow{Instance: id, Reason: ByOperator, Why: "a look at it", Since: 1})
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		gone, err := m.Deprovision(t.Context(), ada, i.ID)
		if err != nil {
			t.Fatal(err)
		}
		m.ends(t, gone.Operation.ID, succeeded)
		for id, want := range map[string]int{i.ID: 0, other.ID: 1} {
			if rows, err := m.suspensionsOf(t.Context(), id); err != nil || len(rows) != want {
				t.Errorf("%d are left, want %d: %v", len(rows), want, err)
			}
		}
	})
}

// An instance whose sealed parameters do not open is shown with that as its health; what needs them is refused as before.
func TestUnreadableParametersAreShownAsHealth(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		m := newMarket(t, db)
		i, well := m.made(t, "sync", "orders"), m.made(t, "sync", "stock")
		if got, err := m.Instance(t.Context(), ada, well.Project, well.ID); err != nil || got.Health != "" || got.HealthNote != "" {
			t.Errorf("%+v, %v", got, err)
		}
		if err := db.Tx(t.Context(), func(ctx context.Context) error {
			return db.From(ctx).Exec(`UPDATE instances SET params = driver_state WHERE id = ?`, i.ID).Error // sealed for another place
		}); err != nil {
			t.Fatal(err)
		}
		for _, ref := range []string{i.ID, "orders"} {
			got, err := m.Instance(t.Context(), ada, i.Project, ref)
			if err != nil || got.Health != Degraded || !strings.Contains(got.HealthNote, "cannot be opened") || got.State != Ready || len(got.Params) != 0 {
				t.Errorf("%+v, %v", got, err)
			}
		}
		if _, _, err := m.Update(t.Context(), ada, UpdateOrder{Instance: i.ID, Params: []byte(`{}`)}); fault.KindOf(err) != fault.Internal {
			t.Errorf("an update says %v", err)
		}
	})
}
