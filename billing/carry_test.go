package billing_test

import (
	"testing"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

func TestACorrectionLargerThanTheMonthIsCarriedToTheNext(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.ok(h.Start(ctx, h.sale("ins_nats", "standard"), when("2026-11-01T00:00:00")))
		h.report("2026-11-10T00:00:00", "20", "-50")
		if one := h.end(); one.Subtotal != "3.00" {
			t.Error(one.Subtotal, short(one.Lines))
		}
		h.report("2026-12-10T00:00:00", "100")
		h.clock.set("2027-01-01T00:00:00")
		_, err := h.CloseDue(ctx, when("2027-01-01T00:00:00"))
		h.ok(err)
		all, err := h.Invoices(ctx, operator, "")
		h.ok(err)
		if len(all) != 2 || all[0].Subtotal != "3.60" { // 100 less the 30 that November could not take, less the 10 included
			t.Errorf("%+v", all)
		}
		h.closed("org_acme", 2)
		rows, err := h.Usage(ctx, operator, identity.Scope{}, billing.Period{From: november.From, To: when("2027-01-01T00:00:00")})
		h.ok(err)
		if len(rows) != 1 || rows[0].Quantity.String() != "70" {
			t.Errorf("%+v", rows)
		}
	})
}

// report stores values of one moment.
func (h *house) report(at string, values ...string) {
	h.Helper()
	h.clock.set(at)
	var events []catalog.Event
	for _, v := range values {
		events = append(events, used(at+v, "ins_nats", at, v))
	}
	_, err := h.Ingest(h.Context(), provider("nats-east"), events)
	h.ok(err)
}

func TestUseAfterAStopThatWasToldLaterIsFlagged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.ok(h.Start(ctx, h.sale("ins_nats", "standard"), when("2026-11-01T00:00:00")))
		h.report("2026-12-01T00:01:00", "20")
		h.ok(h.Stop(ctx, "ins_nats", when("2026-11-30T23:59:00")))
		h.clock.set("2027-01-01T00:00:00")
		_, err := h.CloseDue(ctx, when("2027-01-01T00:00:00"))
		h.ok(err)
		h.closed("org_acme", 1)
		var late int64
		h.ok(db.From(ctx).Raw(`SELECT late FROM usage_events`).Scan(&late).Error)
		if late != 1 {
			t.Error("the event is in no invoice and not flagged")
		}
	})
}
