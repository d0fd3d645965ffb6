package billing_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// alter changes the store behind the ledger's back and fails unless it changed something.
func (h *house) alter(sql string) {
	h.Helper()
	h.ok(h.db.Tx(h.Context(), func(ctx context.Context) error {
		x := h.db.From(ctx).Exec(sql)
		if x.Error == nil && x.RowsAffected == 0 {
			h.Fatal("nothing changed:", sql)
		}
		return x.Error
	}))
}

func TestVerifyNamesWhatWasTamperedWith(t *testing.T) {
	for name, c := range map[string]struct {
		sql  string
		fail []string
	}{
		"an event's value":          {`UPDATE usage_events SET value = '9' WHERE id = '2'`, []string{"lines", "total"}},
		"an event taken away":       {`DELETE FROM usage_events WHERE id = '2'`, []string{"lines", "total"}},
		"an event declared late":    {`UPDATE usage_events SET late = 1 WHERE id = '2'`, []string{"lines", "total"}},
		"an event of no number":     {`UPDATE usage_events SET value = 'many' WHERE id = '2'`, []string{"lines", "total"}},
		"an interval made shorter":  {`UPDATE intervals SET ended_at = ended_at - 86400000000 WHERE instance = 'ins_nats'`, []string{"lines", "total"}},
		"a suspension taken away":   {`DELETE FROM suspensions`, []string{"lines", "total"}},
		"a price":                   {`UPDATE prices SET rates = replace(rates, '5.00', '4.00') WHERE plan = 'small' AND currency = 'EUR'`, []string{"lines", "total"}},
		"a stored line":             {`UPDATE invoice_lines SET line = replace(line, 'pg-west', 'pg-east') WHERE n = 2`, []string{"lines"}},
		"a stored line's amount":    {`UPDATE invoice_lines SET amount = amount + 1 WHERE n = 0`, []string{"lines"}},
		"a stored line taken away":  {`DELETE FROM invoice_lines WHERE n = 3`, []string{"lines"}},
		"the total":                 {`UPDATE invoices SET total = total - 1`, []string{"hash"}},
		"the document":              {`UPDATE invoices SET document = replace(document, '14.61', '14.60')`, []string{"hash", "lines", "journal"}},
		"the document, all of it":   {`UPDATE invoices SET document = '{}'`, []string{"hash", "previous", "lines", "total", "journal"}},
		"the document's form":       {`UPDATE invoices SET document = 'x'`, []string{"hash"}},
		"the hash":                  {`UPDATE invoices SET hash = replace(hash, substr(hash, 1, 4), '0000') WHERE position = 2`, []string{"hash", "signature"}},
		"the signature":             {`UPDATE invoices SET signature = (SELECT signature FROM invoices WHERE position = 1) WHERE position = 2`, []string{"signature"}},
		"the key":                   {`UPDATE invoices SET key_id = 'another'`, []string{"signature"}},
		"the chain":                 {`UPDATE invoices SET previous = ''`, []string{"previous"}},
		"the invoice before it":     {`UPDATE invoices SET hash = 'changed' WHERE position = 1`, []string{"previous"}},
		"a journal entry":           {`UPDATE journal SET amount = amount + 1 WHERE n = 1`, []string{"journal"}},
		"a journal entry's ledger":  {`UPDATE journal SET ledger = 'payable/crook' WHERE n = 1`, []string{"journal"}},
		"a journal entry less":      {`DELETE FROM journal WHERE n = 0`, []string{"journal"}},
		"two entries, still zero":   {`UPDATE journal SET amount = amount + CASE n WHEN 1 THEN 5 ELSE -5 END WHERE n IN (1, 2)`, []string{"journal"}},
		"a state set by hand":       {`UPDATE invoices SET state = 'paid'`, []string{"state"}},
		"the account's own posting": {`UPDATE journal SET currency = 'USD'`, []string{"journal"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, dbtest.New(t))
			another := h.sale("ins_another", "small")
			var err error
			h.SetIDs(func(prefix string) string { return prefix + "_0000" }) // so that it comes before acme's
			another.Account, err = h.OpenAccount(t.Context(), "Another", "EUR")
			h.ok(err)
			h.ok(h.Start(t.Context(), another, when("2026-11-03T00:00:00")))
			h.SetIDs(ids.New)
			h.autumn()
			h.clock.set("2026-12-01T00:00:00")
			_, err = h.CloseDue(t.Context(), november.To)
			h.ok(err)
			const number = "SUT-2026-000002"
			mine, err := h.Verify(t.Context(), operator, number)
			h.ok(err)
			if !mine.OK {
				t.Fatalf("before: %+v", mine)
			}
			if mine.Recomputed == "" || !slices.Equal(failed(mine.Checks), nil) {
				t.Error(mine)
			}
			h.alter(c.sql)
			got, err := h.Verify(t.Context(), operator, number)
			h.ok(err)
			if got.OK || !slices.Equal(failed(got.Checks), c.fail) {
				t.Errorf("failed %v, want %v: %+v", failed(got.Checks), c.fail, got.Checks)
			}
		})
	}
}

// free lives through November on a free plan, then for two hours and 40 minutes on a paid one, and on the free one again.
func (h *house) free() {
	h.Helper()
	ctx := h.Context()
	h.ok(h.Start(ctx, h.sale("ins_x", "free"), when("2026-11-02T00:00:00")))
	paid := h.sale("ins_x", "standard")
	h.ok(h.Change(ctx, paid, when("2026-11-10T12:00:00")))
	h.ok(h.Change(ctx, h.sale("ins_x", "free"), when("2026-11-16T12:00:00")))
	h.clock.set("2026-11-30T00:00:00")
	for n, u := range []struct{ at, value string }{
		{"2026-11-10T11:59:59", "5000"}, {"2026-11-10T12:00:00", "30"}, {"2026-11-16T11:59:59", "80"}, {"2026-11-16T12:00:00", "7000"},
	} {
		h.ok(h.Record(ctx, used(fmt.Sprint(n), "ins_x", u.at, u.value)))
	}
}

func TestWhatWasUsedOnAFreePlanIsNotThePaidOnes(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.free()
		preview, err := h.Preview(t.Context(), owner, "org_acme")
		h.ok(err)
		got := h.end()
		want := []string{
			"nats-east nats standard: base: 0.2 month × 3.00 = 0.60",
			"nats-east nats standard: calls (beyond 10 included): 100 request × 0.01 = 1.00",
		}
		if !slices.Equal(short(got.Lines), want) || got.Total != "1.90" || preview.Total != got.Total {
			t.Errorf("%q %s, previewed %s", short(got.Lines), got.Total, preview.Total)
		}
		verified(h, got.Number)
		balanced(h)
	})
}

// TestAnOlderInvoiceIsVerifiedByItsOwnRules: what was signed before a mistake was mended stays what it is.
func TestAnOlderInvoiceIsVerifiedByItsOwnRules(t *testing.T) {
	h := newHouse(t, dbtest.New(t))
	h.SetRules(1)
	h.free()
	got := h.end()
	if got.Subtotal != "121.60" { // 12,110 calls, all but 10 of them
		t.Errorf("%q %s", short(got.Lines), got.Subtotal)
	}
	document, err := h.Document(t.Context(), got.Number)
	h.ok(err)
	if !strings.HasPrefix(document, `{"engine":1,`) {
		t.Error(document)
	}
	h.SetRules(2)
	verified(h, got.Number)
}

func TestTheFormOfOlderInvoicesStays(t *testing.T) {
	h := newHouse(t, dbtest.New(t))
	h.SetRules(1)
	h.autumn()
	got := h.end()
	document, err := h.Document(t.Context(), got.Number)
	h.ok(err)
	golden, err := os.ReadFile("testdata/engine-1.json")
	if err != nil || document != strings.TrimSpace(string(golden)) {
		t.Errorf("not that of testdata/engine-1.json (%v): %s", err, document)
	}
	h.SetRules(2)
	verified(h, got.Number)
}

func TestVerifyOnBothStores(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.autumn()
		number := h.end().Number
		h.alter(`UPDATE usage_events SET value = '9' WHERE id = '2'`)
		got, err := h.Verify(t.Context(), owner, number)
		h.ok(err)
		if got.OK || got.Recomputed != "20.96" { // 16.5 requests: 0.17, and 17.61 with its tax of 3.35
			t.Errorf("%+v", got)
		}
		_, err = h.Verify(t.Context(), owner, "SUT-2026-000009")
		h.is(err, fault.NotFound)
	})
}
