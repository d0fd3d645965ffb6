package billing_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// short writes lines as people would check them.
func short(lines []billing.Line) []string {
	var out []string
	for _, l := range lines {
		out = append(out, fmt.Sprintf("%s %s: %s %s × %s = %s", l.Provider, l.Description, l.Quantity, l.Unit, l.UnitPrice, l.Amount))
	}
	return out
}

func TestAMonthBecomesOneInvoiceAcrossProviders(t *testing.T) {
	documents := map[string]bool{}
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.autumn()
		preview, err := h.Preview(t.Context(), owner, "org_acme")
		h.ok(err)
		got := h.end()
		want := []string{
			"nats-east nats standard: base: 0.433333333333 month × 3.00 = 1.30",
			"nats-east nats standard: calls (beyond 10 included): 15.5 request × 0.01 = 0.16",
			"pg-west postgresql small: base: 205 hour × 0.00744047619 = 1.53",
			"pg-west postgresql big: base: 491 hour × 0.029761904762 = 14.61",
		}
		if !slices.Equal(short(got.Lines), want) {
			t.Errorf("got  %q\nwant %q", short(got.Lines), want)
		}
		if got.Number != "SUT-2026-000001" || got.Subtotal != "17.60" || got.Tax[0].Amount != "3.34" || got.Total != "20.94" || got.Due != "20.94" || got.Sent != "not sent" {
			t.Errorf("%+v", got)
		}
		if preview.Total != got.Total || preview.Number != "" || preview.State != "preview" || !slices.Equal(short(preview.Lines), short(got.Lines)) {
			t.Errorf("the preview was %+v", preview)
		}
		verified(h, got.Number)
		balanced(h)
		document, err := h.Document(t.Context(), got.Number)
		h.ok(err)
		documents[document] = true
	})
	if len(documents) != 1 {
		t.Errorf("the two stores gave %d different documents", len(documents))
	}
	// What was signed must stay what it is: a change of this file needs a new engine version that keeps the old one's rules.
	golden, err := os.ReadFile("testdata/engine-2.json")
	if err != nil || !documents[strings.TrimSpace(string(golden))] {
		t.Errorf("the canonical form is not that of testdata/engine-2.json (%v): %v", err, documents)
	}
}

// verified fails unless all seven checks hold.
func verified(h *house, number string) {
	h.Helper()
	v, err := h.Verify(h.Context(), owner, number)
	h.ok(err)
	if !v.OK || len(v.Checks) != 7 {
		h.Errorf("%+v", v)
	}
}

func balanced(h *house) {
	h.Helper()
	sums, err := h.TrialBalance(h.Context(), operator)
	h.ok(err)
	if len(sums) != 1 || sums[0] != (money.Amount{Currency: "EUR"}) {
		h.Error("trial balance", sums)
	}
}

func TestClosingAgainChangesNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		h.autumn()
		first := h.end()
		if again := h.end(); again.Hash != first.Hash || again.Signature != first.Signature {
			t.Error(first, again)
		}
	})
}

func TestNumbersAndChainGoOnOverAccountsAndYears(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		for i := range 3 {
			org := fmt.Sprint("org_", i)
			account, err := h.OpenAccount(ctx, org, "")
			h.ok(err)
			h.ok(h.LinkOrg(ctx, account, org))
			s := h.sale("ins_"+org, "small")
			s.Account, s.Org = account, org
			h.ok(h.Start(ctx, s, when("2026-11-03T00:00:00")))
		}
		for _, due := range []string{"2026-12-01T00:00:00", "2027-01-01T00:00:00"} {
			h.clock.set(due)
			_, err := h.CloseDue(ctx, when(due))
			h.ok(err)
		}
		all, err := h.Invoices(ctx, operator, "")
		h.ok(err)
		var numbers []string
		for i, one := range all {
			numbers = append(numbers, one.Number)
			if i+1 < len(all) && one.Previous != all[i+1].Hash {
				t.Error(one.Number, "does not follow", all[i+1].Number)
			}
			v, err := h.Verify(ctx, operator, one.Number)
			h.ok(err)
			if !v.OK {
				t.Errorf("%+v", v)
			}
		}
		want := []string{"SUT-2027-000003", "SUT-2027-000002", "SUT-2027-000001", "SUT-2026-000003", "SUT-2026-000002", "SUT-2026-000001"}
		if !slices.Equal(numbers, want) { // acme used nothing and gets none
			t.Error(numbers)
		}
	})
}

func TestTheMarketsShareIsPostedApart(t *testing.T) {
	h := newHouse(t, dbtest.New(t), func(c *billing.Config) { c.Seller.Fee = money.MustParse("0.10") })
	h.autumn()
	h.end()
	entries, err := h.Journal(t.Context(), operator)
	h.ok(err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Ledger+" "+e.Amount.String())
	}
	want := []string{"receivable/" + h.account + " 20.94", "payable/nats-east -1.31", "payable/pg-west -14.53", "fees -1.76", "tax/VAT -3.34"}
	if !slices.Equal(got, want) {
		t.Error(got)
	}
	balanced(h)
}

func TestOrderAndBatchingAreIrrelevant(t *testing.T) {
	var totals []string
	for _, batches := range [][][]int{{{0, 1, 2, 3}}, {{3}, {1, 0}, {2}}, {{2, 3, 2}, {0}, {1, 0, 3}}} {
		h := newHouse(t, dbtest.New(t))
		h.ok(h.Start(t.Context(), h.sale("ins_nats", "standard"), when("2026-11-05T00:00:00")))
		h.clock.set("2026-11-30T00:00:00")
		all := []catalog.Event{
			used("a", "ins_nats", "2026-11-06T00:00:00", "1.25"), used("b", "ins_nats", "2026-11-06T00:00:00", "700"),
			used("c", "ins_nats", "2026-11-07T00:00:00", "-3"), used("d", "ins_nats", "2026-11-29T00:00:00", "0.0001"),
		}
		for _, batch := range batches {
			var events []catalog.Event
			for _, i := range batch {
				events = append(events, all[i])
			}
			_, err := h.Ingest(t.Context(), provider("nats-east"), events)
			h.ok(err)
		}
		one := h.end()
		totals = append(totals, one.Total+" "+strings.Join(short(one.Lines), ";"))
	}
	if totals[0] != totals[1] || totals[1] != totals[2] {
		t.Error(totals)
	}
}

func TestTheCalendarClosesAtTheMonthsEnd(t *testing.T) {
	h := newHouse(t, dbtest.New(t), func(c *billing.Config) {
		market := &clock.Market{}
		calendar, err := tasks.NewCalendar(t.Context(), c.DB, c.Tasks, market)
		if err != nil {
			t.Fatal(err)
		}
		c.Calendar, c.Clock = calendar, market
	})
	ctx := t.Context()
	h.ok(h.Start(ctx, h.sale("ins_pg", "small"), h.Now()))
	_, err := h.Calendar().Advance(ctx, 70*24*time.Hour) // over two month's ends at least
	h.ok(err)
	all, err := h.Invoices(ctx, owner, "org_acme")
	h.ok(err)
	if len(all) < 2 {
		t.Fatal(len(all), "invoices")
	}
	if last := all[0]; !last.IssuedAt.Before(last.Period.To.Add(time.Minute)) || last.IssuedAt.Before(last.Period.To) || last.Subtotal != "5.00" {
		t.Errorf("%+v", last)
	}
	verified(h, all[0].Number)
}
