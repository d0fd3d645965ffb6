package billing

import (
	"fmt"
	"time"

	"github.com/sutlerhq/sutler/billing/rating"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
)

// MonthHours is what a whole month counts in a quote: a year's hours by twelve.
const MonthHours = 730

// Quote is what a plan would cost, before tax. Amounts are decimal strings in major units.
type Quote struct {
	Currency string
	Lines    []QuoteLine
	Total    string
}

// QuoteLine is one rate's part of a quote.
type QuoteLine struct{ Description, Quantity, Unit, Amount string }

// quoted is the month that quotes are rated in; any of 31 days does, a month's hours fit in.
func quoted() rating.Span {
	return rating.Span{From: time.Date(2024, time.January, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2024, time.February, 1, 0, 0, 0, 0, time.UTC)}
}

// QuoteOf rates a plan as an invoice would: so many hours of it (1 to MonthHours, which is a whole month) with these quantities by metric
// over the time. Metrics that the plan does not have cost nothing there. A plan that is not sold in the currency is fault.Refused.
func QuoteOf(p catalog.Plan, currency string, hours int, quantities map[string]money.Decimal) (Quote, error) {
	if hours < 1 || hours > MonthHours {
		return Quote{}, fault.Invalid.Errorf("A quote is for 1 to %d hours, which are a month; not for %d.", MonthHours, hours)
	}
	rates, sold := p.Prices[currency]
	if !sold && !p.Free() {
		return Quote{}, fault.Refused.Errorf("%s is not sold in %s.", p.Name, currency)
	}
	month := quoted()
	interval := rating.Interval{Instance: "quote", Plan: p.ID, From: month.From, To: month.From.Add(time.Duration(hours) * time.Hour)}
	if hours == MonthHours {
		interval.To = month.To
	}
	in := rating.Input{
		Currency: currency, Period: month, Intervals: []rating.Interval{interval},
		Prices: []rating.Price{{Plan: p.ID, Version: 1, From: month.From, Metrics: p.Metrics, Rates: rates}},
	}
	for _, m := range p.Metrics {
		if q, given := quantities[m.Name]; given {
			in.Uses = append(in.Uses, rating.Use{Instance: "quote", Metric: m.Name, Key: m.Name, At: month.From, Value: q})
		}
	}
	lines, err := rating.Rate(in)
	if err != nil {
		return Quote{}, fault.Unprocessable.Wrap(err, "%s cannot be rated so: %v.", p.Name, err)
	}
	return summed(currency, lines)
}

func summed(currency string, lines []rating.Line) (Quote, error) {
	q := Quote{Currency: currency, Lines: []QuoteLine{}}
	var amounts []money.Amount
	for _, l := range lines {
		amounts = append(amounts, l.Amount)
		text := l.Rate
		if !l.Included.IsZero() {
			text += fmt.Sprintf(" (beyond %s included)", l.Included)
		}
		q.Lines = append(q.Lines, QuoteLine{Description: text, Quantity: l.Quantity.Text(0, shownDecimals), Unit: l.Unit, Amount: l.Amount.String()})
	}
	total, err := money.Sum(currency, amounts...)
	if err != nil {
		return Quote{}, fault.Unprocessable.Wrap(err, "The quote is beyond what can be charged.")
	}
	q.Total = total.String()
	return q, nil
}
