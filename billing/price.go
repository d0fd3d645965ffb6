package billing

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Publish writes what the catalog sells into the price book: a new dated version of each plan whose rates or metrics differ from its newest one.
// A price is in force from the market's now; what ran before keeps the older one. A plan that is no longer offered, or no longer in a currency,
// keeps its last price for those who still use it. Rates that cannot be charged are fault.Invalid, and nothing is written.
func (l *Ledger) Publish(ctx context.Context, offerings []catalog.Offering) error {
	var wrong []fault.Field
	for _, o := range offerings {
		for _, p := range o.Plans {
			for _, currency := range slices.Sorted(maps.Keys(p.Prices)) {
				for _, f := range catalog.ValidateRates(p.Metrics, p.Prices[currency]) {
					wrong = append(wrong, fault.Field{Path: strings.Join([]string{o.Name, p.Name, currency, f.Path}, "/"), Reason: f.Reason})
				}
			}
		}
	}
	if len(wrong) > 0 {
		return fault.Invalid.Errorf("%d prices cannot be charged; the first: %s: %s.", len(wrong), wrong[0].Path, wrong[0].Reason).WithFields(wrong...)
	}
	return l.db.Tx(ctx, func(ctx context.Context) error {
		now := l.clock.Now()
		for _, o := range offerings {
			for _, p := range o.Plans {
				if err := l.publish(ctx, o, p, now); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func (l *Ledger) publish(ctx context.Context, o catalog.Offering, p catalog.Plan, now time.Time) error {
	newest, err := l.newestPrices(ctx, p.ID)
	if err != nil {
		return err
	}
	rows, err := wanted(p, newest)
	if err != nil {
		return err
	}
	changed := false
	for _, row := range rows {
		old, known := newest[row.Currency]
		if known && old.says(row) {
			continue
		}
		row.Version, row.ValidFrom, changed = old.Version+1, now.UnixMicro(), true
		if err := l.insertPrice(ctx, row); err != nil {
			return err
		}
	}
	if !changed {
		return nil
	}
	return l.audit.Append(ctx, audit.Entry{Who: "system", Action: "price.publish", Object: "plan/" + p.ID, Detail: map[string]string{"offering": o.Name, "plan": p.Name}})
}

// wanted gives the rows that the price book should have newest for a plan: the plan itself, each currency, and, when the plan has become free,
// no rates in the currencies it had.
func wanted(p catalog.Plan, newest map[string]priceRow) ([]priceRow, error) {
	metrics, err := text(p.Metrics)
	if err != nil {
		return nil, err
	}
	var sold []string
	if !p.Free() {
		sold = slices.Sorted(maps.Keys(p.Prices))
	}
	rows := []priceRow{{Plan: p.ID, Metrics: metrics, Rates: "[]", Sold: strings.Join(sold, ",")}}
	if p.Free() {
		sold = slices.Sorted(maps.Keys(newest))
	}
	for _, currency := range sold {
		if currency == "" {
			continue
		}
		rates, err := text(p.Prices[currency])
		if err != nil {
			return nil, err
		}
		rows = append(rows, priceRow{Plan: p.ID, Currency: currency, Metrics: metrics, Rates: rates})
	}
	return rows, nil
}

// text writes a list as JSON, an empty one as [].
func text[T any](list []T) (string, error) {
	if len(list) == 0 {
		return "[]", nil
	}
	b, err := json.Marshal(list)
	if err != nil {
		return "", fault.Internal.Wrap(err, "A price could not be written.")
	}
	return string(b), nil
}

// Admit is broker's Gate: the account exists, and the plan is free or has a price in the account's currency; else fault.Refused.
func (l *Ledger) Admit(ctx context.Context, order catalog.Snapshot) error {
	account, err := l.account(ctx, order.Account, unlocked)
	if fault.KindOf(err) == fault.NotFound {
		return fault.Refused.Errorf("No account pays for this org, so nothing can be bought.").WithHint("An operator links the org to an account.")
	}
	if err != nil {
		return err
	}
	newest, err := l.newestPrices(ctx, order.Plan)
	if err != nil {
		return err
	}
	plan, known := newest[""]
	if !known {
		return fault.Unavailable.Errorf("The plan %s of %s is not in the price book yet.", order.PlanName, order.OfferingName).WithHint("Try again in a minute.")
	}
	if sold := strings.Split(plan.Sold, ","); plan.Sold != "" && !slices.Contains(sold, account.Currency) {
		return fault.Refused.Errorf("The plan %s of %s has no price in %s, the currency of the account %s; it is sold in %s.",
			order.PlanName, order.OfferingName, account.Currency, account.Name, strings.Join(sold, ", ")).
			WithHint("Choose a plan with a price in %s.", account.Currency)
	}
	return nil
}
