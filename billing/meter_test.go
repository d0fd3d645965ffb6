package billing_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestMeterVerbsAreIdempotent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		once, twice := newHouse(t, db), newHouse(t, dbtest.New(t))
		ctx := t.Context()
		for h, times := range map[*house]int{once: 1, twice: 2} {
			for _, verb := range []func() error{
				func() error { return h.Start(ctx, h.sale("ins_pg", "small"), when("2026-11-02T00:00:00")) },
				func() error { return h.Suspend(ctx, "ins_pg", when("2026-11-03T00:00:00")) },
				func() error { return h.Resume(ctx, "ins_pg", when("2026-11-04T00:00:00")) },
				func() error { return h.Change(ctx, h.sale("ins_pg", "big"), when("2026-11-05T00:00:00")) },
				func() error { return h.Suspend(ctx, "ins_pg", when("2026-11-06T00:00:00")) },
				func() error { return h.Stop(ctx, "ins_pg", when("2026-11-07T00:00:00")) },
			} {
				for range times {
					h.ok(verb())
				}
			}
			for range times { // late repeats of what came before
				h.ok(h.Start(ctx, h.sale("ins_pg", "small"), when("2026-11-08T00:00:00")))
				h.ok(h.Change(ctx, h.sale("ins_pg", "small"), when("2026-11-08T00:00:00")))
				h.ok(h.Suspend(ctx, "ins_pg", when("2026-11-08T00:00:00")))
				h.ok(h.Resume(ctx, "ins_pg", when("2026-11-08T00:00:00")))
			}
		}
		a, b := short(once.end().Lines), short(twice.end().Lines)
		if !slices.Equal(a, b) || len(a) != 2 || !strings.Contains(a[0], "48 hour") || !strings.Contains(a[1], "24 hour") {
			t.Errorf("%q\n%q", a, b)
		}
	})
}

func TestMeterJoinsTheCallersTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		boom := errors.New("boom")
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			if err := h.Start(ctx, h.sale("ins_pg", "small"), when("2026-11-02T00:00:00")); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		h.is(h.Suspend(t.Context(), "ins_pg", when("2026-11-03T00:00:00")), fault.NotFound)
		h.ok(h.Stop(t.Context(), "ins_pg", when("2026-11-03T00:00:00"))) // a create that failed is deleted, too
	})
}

func TestAClosedMonthDoesNotChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.autumn()
		number := h.end().Number
		h.ok(h.Stop(ctx, "ins_pg", when("2026-11-30T23:59:59")))
		h.ok(h.Start(ctx, h.sale("ins_new", "small"), when("2026-11-30T23:59:59")))
		h.ok(h.Suspend(ctx, "ins_new", when("2026-11-30T23:59:59")))
		h.ok(h.Record(ctx, used("late", "ins_nats", "2026-11-12T00:00:00", "1000")))
		verified(h, number)
		rows, err := h.Usage(ctx, owner, identity.Scope{Org: "org_acme"}, november)
		h.ok(err)
		if len(rows) != 1 || rows[0].Quantity.String() != "1025.5" || rows[0].InstanceName != "ins_nats-name" || rows[0].Unit != "request" {
			t.Errorf("%+v", rows)
		}
	})
}

func TestOnlyTheSellerReportsAndAllOrNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.autumn()
		before := h.used(t)
		good := used("new", "ins_nats", "2026-11-15T00:00:00", "1")
		ingest := func(who identity.Principal, bad catalog.Event) error {
			got, err := h.Ingest(ctx, who, []catalog.Event{good, bad})
			if got != (billing.Accepted{}) {
				t.Error(got)
			}
			return err
		}
		foreign, missing := ingest(provider("nats-east"), used("x", "ins_pg", "2026-11-15T00:00:00", "1")), ingest(provider("nats-east"), used("x", "ins_no", "2026-11-15T00:00:00", "1"))
		h.is(foreign, fault.NotFound)
		h.is(missing, fault.NotFound)
		if a, b := foreign.Error(), strings.Replace(missing.Error(), "ins_no", "ins_pg", 1); a != b {
			t.Errorf("%q tells more than %q", a, b)
		}
		h.is(ingest(provider("pg-west"), good), fault.NotFound)
		h.is(ingest(provider("nats-east"), used("1", "ins_nats", "2026-11-05T10:00:00", "13")), fault.Conflict)
		h.is(ingest(provider("nats-east"), used("x", "ins_nats", "2026-12-05T10:00:00", "1")), fault.Invalid)
		h.is(ingest(provider("nats-east"), used("", "ins_nats", "2026-11-05T10:00:00", "1")), fault.Invalid)
		unknown := used("x", "ins_nats", "2026-11-05T10:00:00", "1")
		unknown.Metric = "smiles"
		h.is(ingest(provider("nats-east"), unknown), fault.Invalid)
		h.is(ingest(owner, good), fault.Forbidden)
		h.is(ingest(operator, good), fault.Forbidden)
		h.is(ingest(identity.Principal{}, good), fault.Forbidden)
		if after := h.used(t); after != before {
			t.Errorf("a refused batch left something: %s, then %s", before, after)
		}
		_, err := h.Ingest(ctx, system, []catalog.Event{good})
		h.ok(err)
	})
}

// used gives what the nats instance used in November.
func (h *house) used(t *testing.T) string {
	rows, err := h.Usage(t.Context(), operator, identity.Scope{}, november)
	h.ok(err)
	return rows[0].Quantity.String()
}

func TestTheGateAsksForAnAccountAndAPrice(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		h.ok(h.Admit(ctx, h.sale("i", "small")))
		h.ok(h.Admit(ctx, h.sale("i", "free")))
		h.is(h.Admit(ctx, h.sale("i", "unheard of")), fault.Unavailable)
		dollars, err := h.OpenAccount(ctx, "Dollars", "USD")
		h.ok(err)
		order := h.sale("i", "small")
		order.Account = dollars
		h.is(h.Admit(ctx, order), fault.Refused)
		order.Plan = "free"
		h.ok(h.Admit(ctx, order))
		order.Account = ""
		h.is(h.Admit(ctx, order), fault.Refused)
	})
}

func TestThePriceBookGrowsByWhatChanged(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		count := func() (n int64) {
			h.ok(db.From(ctx).Raw(`SELECT count(*) FROM prices`).Scan(&n).Error)
			return n
		}
		first := count()
		h.ok(h.Publish(ctx, offerings()))
		if count() != first {
			t.Error("publishing the same again wrote something")
		}
		h.ok(h.Start(ctx, h.sale("ins_nats", "standard"), when("2026-11-01T00:00:00")))
		h.clock.set("2026-11-16T00:00:00")
		dearer := offerings()
		dearer[1].Plans[0].Prices["EUR"][0].Amount = money.MustParse("6.00")
		h.ok(h.Publish(ctx, dearer))
		if count() != first+1 {
			t.Error("one changed price wrote", count()-first)
		}
		broken := offerings()
		broken[0].Plans[0].Prices["EUR"][0].Model = "dream"
		broken[1].Plans[0].Prices["EUR"][0].Amount = money.MustParse("7.00")
		h.is(h.Publish(ctx, broken), fault.Invalid)
		if count() != first+1 {
			t.Error("a refused publication wrote something")
		}
		one := h.end()
		if one.Subtotal != "4.50" || len(one.Lines) != 2 {
			t.Error(one.Subtotal, short(one.Lines))
		}
		verified(h, one.Number)
	})
}

func TestAPlanThatBecomesFreeIsFreeFromThenOn(t *testing.T) {
	h := newHouse(t, dbtest.New(t))
	h.ok(h.Start(t.Context(), h.sale("ins_nats", "standard"), when("2026-11-01T00:00:00")))
	h.clock.set("2026-11-16T00:00:00")
	free := offerings()
	free[1].Plans[0].Prices = nil
	h.ok(h.Publish(t.Context(), free))
	if one := h.end(); one.Subtotal != "1.50" {
		t.Error(one.Subtotal)
	}
}

// Events that come in one call are stored and charged like those that come one by one, and one bad event keeps all of its call out.
func TestEventsTogetherAreWorthWhatTheyAreOneByOne(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		one, all := newHouse(t, db), newHouse(t, dbtest.New(t))
		var events []catalog.Event
		for n := range 450 {
			e := used(fmt.Sprint(n), []string{"ins_nats", "ins_two"}[n%2], "2026-11-05T10:00:00", "3")
			events = append(events, e)
		}
		events = append(events, events[7], events[449]) // told again
		for _, h := range []*house{one, all} {
			h.ok(h.Start(t.Context(), h.sale("ins_nats", "standard"), when("2026-11-05T00:00:00")))
			h.ok(h.Start(t.Context(), h.sale("ins_two", "standard"), when("2026-11-05T00:00:00")))
			h.clock.set("2026-11-30T23:59:59")
		}
		for _, e := range events {
			one.ok(one.Record(t.Context(), e))
		}
		bad := slices.Clone(events)
		bad[450].Value = money.MustParse("4")
		all.is(all.Record(t.Context(), bad...), fault.Conflict)
		bad[450] = used("x", "ins_none", "2026-11-05T10:00:00", "4")
		all.is(all.Record(t.Context(), bad...), fault.NotFound)
		all.ok(all.Record(t.Context(), events...))
		all.ok(all.Record(t.Context(), events...))
		a, b := one.end(), all.end()
		if !slices.Equal(short(a.Lines), short(b.Lines)) || !strings.Contains(short(a.Lines)[1], " 665 request") {
			t.Errorf("%q\n%q", short(a.Lines), short(b.Lines))
		}
		verified(all, b.Number)
	})
}
