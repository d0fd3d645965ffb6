package billing_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

// An account that cannot be closed holds up nobody: others get their invoice, the calendar goes on, an operator sees it, and a task tries again.
func TestAnAccountThatCannotBeClosedHoldsUpNobody(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.autumn()
		h.other()
		h.alter(`UPDATE usage_events SET value = '99999999999999999999.5' WHERE id = '2'`) // from before values were bounded
		_, _, err := h.Costs(ctx, owner, identity.Scope{Org: "org_acme"})
		h.names(err)
		_, err = h.Preview(ctx, owner, "org_acme")
		h.names(err)

		h.clock.set("2026-12-01T00:00:00")
		next, err := h.CloseDue(ctx, november.To)
		h.ok(err)
		if !next.Equal(when("2027-01-01T00:00:00")) {
			t.Error("the calendar goes on at", next)
		}
		h.closed("org_other", 1)
		h.closed("org_acme", 0)
		left, err := h.Unclosed(ctx, operator)
		h.ok(err)
		if len(left) != 1 || left[0].Account != h.account || left[0].Name != "Acme Ltd" || left[0].Month != november || !strings.Contains(left[0].Note, `rate "calls"`) {
			t.Errorf("%+v", left)
		}
		_, err = h.Unclosed(ctx, owner)
		h.is(err, fault.Forbidden)

		h.clock.set("2027-01-01T00:00:00") // a month later: November must not be lost behind December
		_, err = h.CloseDue(ctx, when("2027-01-01T00:00:00"))
		h.ok(err)
		h.closed("org_other", 2)
		h.closed("org_acme", 0)
		balanced(h)

		h.alter(`UPDATE usage_events SET value = '8' WHERE id = '2'`)
		h.ok(h.tasks.Start(ctx))
		h.settles()
		h.closed("org_acme", 2)
		balanced(h)
	})
}

// other opens an account beside acme's, with an instance.
func (h *house) other() {
	h.Helper()
	account, err := h.OpenAccount(h.Context(), "Other", "EUR")
	h.ok(err)
	h.ok(h.LinkOrg(h.Context(), account, "org_other"))
	s := h.sale("ins_other", "small")
	s.Account, s.Org = account, "org_other"
	h.ok(h.Start(h.Context(), s, when("2026-11-03T00:00:00")))
}

// names fails unless err tells which line of which instance is at fault.
func (h *house) names(err error) {
	h.Helper()
	h.is(err, fault.Unprocessable)
	if err == nil || !strings.Contains(err.Error(), "ins_nats") || !strings.Contains(err.Error(), `"calls"`) {
		h.Error(err)
	}
}

// closed fails unless an org's account has so many invoices, each of which holds.
func (h *house) closed(org string, want int) {
	h.Helper()
	all, err := h.Invoices(h.Context(), operator, org)
	h.ok(err)
	if len(all) != want {
		h.Errorf("%s has %d invoices, want %d", org, len(all), want)
	}
	for _, one := range all {
		v, err := h.Verify(h.Context(), operator, one.Number)
		h.ok(err)
		if !v.OK {
			h.Errorf("%+v", v)
		}
	}
}

// settles waits until no account is behind.
func (h *house) settles() {
	h.Helper()
	ctx, cancel := context.WithTimeout(h.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		left, err := h.Unclosed(h.Context(), operator)
		h.ok(err)
		if len(left) == 0 {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			h.Fatalf("%+v", left)
		}
	}
}

func TestAValueOrAMonthBeyondTheBoundsIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.autumn()
		before := h.used(t)
		for _, value := range []string{"99999999999999999999.5", "1000000000000000", "-1000000000000000", "0.0000000000000000001"} {
			e := used("big", "ins_nats", "2026-11-15T00:00:00", value)
			h.is(h.Record(ctx, e), fault.Invalid)
			_, err := h.Ingest(ctx, provider("nats-east"), []catalog.Event{e})
			h.is(err, fault.Invalid)
		}
		// Each is in bounds; what they come to is not.
		n, refused := 0, error(nil)
		for ; n < 200 && refused == nil; n++ {
			e := used("many", "ins_nats", "2026-11-15T00:00:00", "999999999999999")
			e.ID += strings.Repeat("x", n)
			_, refused = h.Ingest(ctx, provider("nats-east"), []catalog.Event{e})
		}
		h.is(refused, fault.Unprocessable)
		if n != 100 { // 99 of them come to less than mostMonth
			t.Error(n, "events were taken or refused")
		}
		h.alter(`DELETE FROM usage_events WHERE id LIKE 'many%'`)
		if after := h.used(t); after != before {
			t.Errorf("a refused event left something: %s, then %s", before, after)
		}
		verified(h, h.end().Number)
	})
}

func TestUseOutsideAnInstancesLifeIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.autumn() // ins_nats ran from the 5th to the 20th of November
		h.end()
		h.ok(h.Start(ctx, h.sale("ins_new", "standard"), when("2026-12-02T00:00:00")))
		h.clock.set("2027-01-20T00:00:00")
		for at, instance := range map[string]string{"2026-12-05T00:00:00": "ins_nats", "2027-01-05T00:00:00": "ins_nats", "2026-10-31T23:59:59": "ins_nats", "2026-11-30T00:00:00": "ins_new"} {
			_, err := h.Ingest(ctx, provider("nats-east"), []catalog.Event{used("stray", instance, at, "5")})
			h.is(err, fault.Unprocessable)
			if err == nil || !strings.Contains(err.Error(), instance) {
				t.Error(err)
			}
		}
		_, err := h.Ingest(ctx, provider("nats-east"), []catalog.Event{
			used("late", "ins_nats", "2026-11-06T00:00:00", "5"), used("straggler", "ins_nats", "2026-11-29T00:00:00", "5"), used("now", "ins_new", "2027-01-06T00:00:00", "5"),
		})
		h.ok(err)
		rows, err := h.Usage(ctx, operator, identity.Scope{}, billing.Period{From: november.To, To: when("2027-02-01T00:00:00")})
		h.ok(err)
		if len(rows) != 1 || rows[0].Quantity.String() != "5" {
			t.Errorf("%+v", rows)
		}
	})
}
