package stripe

import (
	"fmt"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
)

// maxItems is how many items Stripe takes on one invoice.
const maxItems = 250

// item is one line as Stripe gets it.
type item struct {
	key, description string // the key is unique on its invoice
	amount           money.Amount
	from, to         time.Time
}

// itemsOf gives an invoice's lines and taxes as at most maxItems items: one each when they fit, else one for each provider and offering, else for each
// provider, else a single one. The detail stays on our own invoice.
func itemsOf(i billing.Invoice) ([]item, error) {
	groups := []func(n int, l billing.Line) (key, description string){
		func(n int, l billing.Line) (string, string) {
			return fmt.Sprint("line/", n), l.Description + ", " + l.InstanceName
		},
		func(_ int, l billing.Line) (string, string) {
			return "offering/" + l.Provider + "/" + l.Offering, l.Offering + " by " + l.Provider
		},
		func(_ int, l billing.Line) (string, string) {
			return "provider/" + l.Provider, "Services of " + l.Provider
		},
		func(int, billing.Line) (string, string) { return "all", "Services" },
	}
	for _, group := range groups {
		items, err := grouped(i, group)
		if err != nil {
			return nil, err
		}
		if items, err = withTaxes(items, i); err != nil || len(items) <= maxItems {
			return items, err
		}
	}
	return nil, fault.Unprocessable.Errorf("The invoice %s has more taxes than Stripe takes items.", i.Number)
}

// grouped adds up the lines that have the same key, in the order in which the keys first appear.
func grouped(i billing.Invoice, group func(int, billing.Line) (string, string)) ([]item, error) {
	var out []item
	place := map[string]int{}
	for n, l := range i.Lines {
		amount, err := amountOf(l.Amount, i.Currency)
		if err != nil {
			return nil, err
		}
		key, description := group(n, l)
		at, known := place[key]
		if !known {
			place[key] = len(out)
			out = append(out, item{key, description, amount, l.From, l.To})
			continue
		}
		if out[at].amount, err = out[at].amount.Add(amount); err != nil {
			return nil, fault.Unprocessable.Wrap(err, "The lines of invoice %s do not add up.", i.Number)
		}
		if l.From.Before(out[at].from) {
			out[at].from = l.From
		}
		if l.To.After(out[at].to) {
			out[at].to = l.To
		}
	}
	return out, nil
}

func withTaxes(items []item, i billing.Invoice) ([]item, error) {
	for n, t := range i.Tax {
		amount, err := amountOf(t.Amount, i.Currency)
		if err != nil {
			return nil, err
		}
		items = append(items, item{fmt.Sprint("tax/", n), fmt.Sprintf("%s (rate %s)", t.Name, t.Rate), amount, i.Period.From, i.Period.To})
	}
	return items, nil
}

func amountOf(text, currency string) (money.Amount, error) {
	a, err := money.ParseAmount(text, currency)
	if err != nil {
		return a, fault.Unprocessable.Wrap(err, "The amount %q is none in %s.", text, currency)
	}
	return a, nil
}

// minor gives an amount in the units Stripe counts in: those of the currency, but hundredths for two that have none, and tens only where there are
// thousandths.
func minor(a money.Amount) (int64, error) {
	digits, err := money.Digits(a.Currency)
	if err != nil {
		return 0, fault.Unprocessable.Wrap(err, "Stripe cannot be given the currency %q.", a.Currency)
	}
	switch {
	case a.Currency == "ISK" || a.Currency == "UGX":
		if n := a.Minor * 100; n/100 == a.Minor {
			return n, nil
		}
		return 0, fault.Unprocessable.Errorf("The amount %s %s is too large for Stripe.", a, a.Currency)
	case digits == 3 && a.Minor%10 != 0:
		return 0, fault.Unprocessable.Errorf("Stripe takes %s in steps of 0.010, and an amount is %s.", a.Currency, a)
	}
	return a.Minor, nil
}
