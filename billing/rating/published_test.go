package rating_test

import (
	"encoding/json"
	"math/big"
	"os"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing/rating"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
)

// published is one worked example that somebody else printed; which fields it has depends on its kind.
type published struct {
	ID, Kind, Src string
	Monthly       string
	CapHours      int `json:"cap_hours"`
	IO            [][2]string
	Old, New      string
	FractionLeft  string `json:"fraction_left"`
	Credit, Net   string
	Charge        string
	Price, Expect string
	MRR           string
	Days          int
	DaysLeft      int `json:"days_left"`
	Of            int
	Actual        string `json:"expect_actual_31"`
	TaxRate       string `json:"tax_rate"`
	Tax, Total    string
	Unit, Q       string
	USD, JPY      string
}

func TestPublishedExamples(t *testing.T) {
	raw, err := os.ReadFile("testdata/published.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Cases []published }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	checks := map[string]func(*testing.T, published){
		"hourly_cap": hourlyCap, "prorate_change": prorateChange, "prorate_days": prorateDays, "prorate_convention": prorateConvention,
		"credit_note_unused": creditNote, "rounding_currency": roundingCurrency, "per_unit": perUnit,
	}
	if len(file.Cases) != len(checks) {
		t.Fatal(len(file.Cases), "cases")
	}
	for _, c := range file.Cases {
		t.Run(c.ID+" "+c.Src, func(t *testing.T) { checks[c.Kind](t, c) })
	}
}

func hourlyCap(t *testing.T, c published) {
	for _, io := range c.IO {
		hours, err := time.ParseDuration(io[0] + "h")
		if err != nil {
			t.Fatal(err)
		}
		in := input(october, catalog.Rate{Name: "base", Model: "fixed", Amount: money.MustParse(c.Monthly), Per: "month", Hours: c.CapHours})
		in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: october.From, To: october.From.Add(hours)}}
		expect(t, in, io[1])
	}
}

// partOf gives the charge for so many whole days at the month's end.
func partOf(t *testing.T, month rating.Span, amount string, days int, want string) {
	t.Helper()
	in := input(month, catalog.Rate{Name: "base", Model: "fixed", Amount: money.MustParse(amount), Per: "month", Proration: "second"})
	in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: month.To.AddDate(0, 0, -days)}}
	expect(t, in, want)
}

func prorateChange(t *testing.T, c published) {
	left, _ := new(big.Rat).SetString(c.FractionLeft)
	days := int(new(big.Rat).Mul(left, big.NewRat(30, 1)).Num().Int64())
	partOf(t, november, c.New, days, c.Charge+".00")
	// Paid in arrears there is no credit: the old plan's half is simply all that is charged, so both halves come to what remains after it.
	in := input(november, catalog.Rate{Name: "base", Model: "fixed", Amount: money.MustParse(c.Old), Per: "month", Proration: "second"})
	in.Prices = append(in.Prices, rating.Price{Plan: "q", From: november.From, Version: 1, Rates: []catalog.Rate{{Name: "base", Model: "fixed", Amount: money.MustParse(c.New), Per: "month"}}})
	middle := november.To.AddDate(0, 0, -days)
	in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: november.From, To: middle}, {Instance: "i", Plan: "q", From: middle}}
	expect(t, in, "5.00", "10.00") // 10 paid for the old month, and net 5 for the change
}

func prorateDays(t *testing.T, c published) { partOf(t, october, c.Price, c.Days, c.Expect) }

func prorateConvention(t *testing.T, c published) { partOf(t, october, c.MRR, c.Days, c.Actual) }

func creditNote(t *testing.T, c published) {
	partOf(t, november, c.Price, c.DaysLeft, c.Net)
	net, _ := money.ParseAmount(c.Net, "EUR")
	got, err := rating.Taxes(net, []rating.Tax{{Name: "VAT", Rate: money.MustParse(c.TaxRate)}}, "")
	if err != nil || got[0].String() != c.Tax {
		t.Error(got, err)
	}
	if total, err := net.Add(got[0]); err != nil || total.String() != c.Total {
		t.Error(total, err)
	}
}

func metered(t *testing.T, currency, unit, quantity, want string) {
	t.Helper()
	in := input(october, catalog.Rate{Name: "calls", Model: "per_unit", Metric: "requests", Unit: money.MustParse(unit)})
	in.Currency = currency
	in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: october.From}}
	in.Uses = []rating.Use{{Instance: "i", Metric: "requests", At: october.From, Value: money.MustParse(quantity)}}
	expect(t, in, want)
}

func roundingCurrency(t *testing.T, c published) {
	metered(t, "USD", c.Unit, c.Q, c.USD)
	metered(t, "JPY", c.Unit, c.Q, c.JPY)
}

func perUnit(t *testing.T, c published) { metered(t, "EUR", c.Unit, c.Q, c.Expect+".00") }
