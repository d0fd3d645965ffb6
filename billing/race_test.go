package billing_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

// Reports, stops, starts and several closes at once: whatever came in time is on the invoice, whatever did not is late, and both add up.
func TestReportsAndClosesMeet(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := newHouse(t, db)
		ctx := t.Context()
		const accounts, reports = 3, 20
		var orgs []string
		for n := range accounts {
			org := fmt.Sprint("org_", n)
			account, err := h.OpenAccount(ctx, org, "EUR")
			h.ok(err)
			h.ok(h.LinkOrg(ctx, account, org))
			s := h.sale("ins_"+org, "standard")
			s.Account, s.Org = account, org
			h.ok(h.Start(ctx, s, when("2026-11-03T00:00:00")))
			orgs = append(orgs, org)
		}
		h.clock.set("2026-12-01T00:00:00")
		var wg sync.WaitGroup
		failed := make(chan error, 100)
		run := func(f func() error) {
			wg.Go(func() {
				if err := f(); err != nil {
					failed <- err
				}
			})
		}
		for n := range reports {
			run(func() error {
				var batch []catalog.Event
				for _, org := range orgs {
					batch = append(batch, used(fmt.Sprint(org, "/", n), "ins_"+org, "2026-11-30T23:00:00", "100"))
				}
				_, err := h.Ingest(ctx, provider("nats-east"), batch)
				return err
			})
			if n%7 == 3 {
				run(func() error { _, err := h.CloseDue(ctx, november.To); return err })
			}
		}
		run(func() error { return h.Stop(ctx, "ins_org_0", when("2026-11-30T12:00:00")) })
		wg.Wait()
		close(failed)
		for err := range failed {
			h.ok(err)
		}
		_, err := h.CloseDue(ctx, november.To)
		h.ok(err)
		h.settled(orgs, reports)
		balanced(h)
	})
}

// settled checks each org's one invoice, and that the store holds every report.
func (h *house) settled(orgs []string, reports int) {
	h.Helper()
	for _, org := range orgs {
		all, err := h.Invoices(h.Context(), operator, org)
		h.ok(err)
		if len(all) != 1 {
			h.Fatal(len(all), "invoices for", org)
		}
		v, err := h.Verify(h.Context(), operator, all[0].Number)
		h.ok(err)
		if !v.OK {
			h.Errorf("%+v", v)
		}
		if last := fmt.Sprintf("SUT-2026-%06d", len(orgs)); all[0].Number > last {
			h.Errorf("a gap in the numbers: %s, and the last should be %s", all[0].Number, last)
		}
		rows, err := h.Usage(h.Context(), operator, identity.Scope{Org: org}, billing.Period{From: november.From, To: november.To})
		h.ok(err)
		if len(rows) != 1 || rows[0].Quantity.String() != fmt.Sprint(reports*100) {
			h.Errorf("%s: %+v", org, rows)
		}
	}
}
