package rating_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing/rating"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"pgregory.net/rapid"
)

var (
	october  = month(2026, 10)
	november = month(2026, 11)
)

func month(year int, m time.Month) rating.Span {
	return rating.Span{From: time.Date(year, m, 1, 0, 0, 0, 0, time.UTC), To: time.Date(year, m+1, 1, 0, 0, 0, 0, time.UTC)}
}

var metrics = []catalog.Metric{
	{Name: "requests", Unit: "request", Aggregation: "sum"},
	{Name: "disk", Unit: "GiB", Aggregation: "max", Kind: "level"},
}

// input gives a situation with one plan "p" that has these rates from the beginning of time.
func input(period rating.Span, rates ...catalog.Rate) rating.Input {
	return rating.Input{Currency: "EUR", Period: period, Prices: []rating.Price{{Plan: "p", Version: 1, Metrics: metrics, Rates: rates}}}
}

func hourly(amount string) catalog.Rate {
	return catalog.Rate{Name: "base", Model: "fixed", Amount: money.MustParse(amount), Per: "month", Hours: 672}
}

func expect(t *testing.T, in rating.Input, want ...string) []rating.Line {
	t.Helper()
	lines, err := rating.Rate(in)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range lines {
		got = append(got, l.Amount.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	return lines
}

func at(text string) time.Time {
	v, err := time.Parse("2006-01-02T15:04:05", text)
	if err != nil {
		panic(err)
	}
	return v
}

func TestOneHourBelongsToOnePlan(t *testing.T) {
	in := input(november, hourly("672"))
	in.Prices = append(in.Prices, rating.Price{Plan: "q", Version: 1, Rates: []catalog.Rate{hourly("6720")}})
	in.Intervals = []rating.Interval{
		{Instance: "i", Plan: "p", From: at("2026-11-05T10:00:00"), To: at("2026-11-05T12:20:00")},
		{Instance: "i", Plan: "q", From: at("2026-11-05T12:20:00"), To: at("2026-11-05T12:40:00")},
		{Instance: "i", Plan: "p", From: at("2026-11-05T12:40:00"), To: at("2026-11-05T13:00:01")},
	}
	lines := expect(t, in, "4.00") // 10, 11, 12 and 13 o'clock; q had no hour of its own
	if got := lines[0].Quantity.Text(0, 3); got != "4" || lines[0].Unit != "hour" {
		t.Error(got, lines[0].Unit)
	}
	in.Intervals[1].To, in.Intervals[2].From = at("2026-11-05T13:00:01"), at("2026-11-05T13:00:01")
	in.Intervals[2].To = at("2026-11-05T13:30:00")
	expect(t, in, "3.00", "10.00")
}

func TestSuspendedTimeIsFreeOfFixedCharges(t *testing.T) {
	in := input(november, hourly("672"), catalog.Rate{Name: "room", Model: "fixed", Amount: money.MustParse("30"), Per: "month"})
	in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: november.From, Suspended: []rating.Span{
		{From: at("2026-11-20T00:00:00")}, {From: at("2026-11-02T00:00:00"), To: at("2026-11-11T00:00:00")},
	}}}
	expect(t, in, "240.00", "10.00") // 10 days live
	in.Intervals[0].Suspended = []rating.Span{{From: november.From}}
	expect(t, in)
}

func TestMonthsHaveTheirOwnLength(t *testing.T) {
	for _, c := range []struct {
		month rating.Span
		want  string
	}{{month(2028, 2), "1.00"}, {month(2026, 2), "1.04"}, {october, "0.94"}, {november, "0.97"}} { // 29 / 29, 28, 31, 30
		partOf(t, c.month, "29", 1, c.want)
	}
	in := input(month(2028, 2), hourly("672"))
	in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: time.Date(2027, 12, 31, 0, 0, 0, 0, time.UTC)}}
	expect(t, in, "672.00") // a leap February has 696 hours; the cap holds
	in.Prices[0].Rates = []catalog.Rate{{Name: "base", Model: "fixed", Amount: money.MustParse("9.99"), Per: "month", Proration: "none"}}
	in.Intervals[0].From = month(2028, 2).To.Add(-time.Microsecond)
	expect(t, in, "9.99")
}

func TestANewPriceCountsFromItsMomentOn(t *testing.T) {
	in := input(november, catalog.Rate{Name: "base", Model: "fixed", Amount: money.MustParse("30"), Per: "month"})
	in.Prices = append(in.Prices, rating.Price{Plan: "p", Version: 2, From: at("2026-11-16T00:00:00"), Rates: []catalog.Rate{{Name: "base", Model: "fixed", Amount: money.MustParse("60"), Per: "month"}}})
	in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: november.From}}
	expect(t, in, "15.00", "30.00")
	in.Prices[0].From = at("2026-11-06T00:00:00") // free before its first price
	expect(t, in, "10.00", "30.00")
}

func TestWhatIsUsedOnAFreePlanIsFree(t *testing.T) {
	in := input(november, hourly("672"),
		catalog.Rate{Name: "calls", Model: "per_unit", Metric: "requests", Unit: money.MustParse("0.01"), Included: money.MustParse("10")})
	in.Intervals = []rating.Interval{
		{Instance: "i", Plan: "free", From: at("2026-11-02T00:00:00"), To: at("2026-11-10T12:20:00")},
		{Instance: "i", Plan: "p", From: at("2026-11-10T12:20:00"), To: at("2026-11-10T15:00:00")},
		{Instance: "i", Plan: "free", From: at("2026-11-10T15:00:00")},
	}
	for n, u := range []struct{ at, value string }{
		{"2026-11-01T00:00:00", "4000"}, {"2026-11-05T00:00:00", "1000"}, {"2026-11-10T12:19:59", "500"}, // free
		{"2026-11-10T12:20:00", "60"}, {"2026-11-10T14:59:59", "50"}, // paid
		{"2026-11-10T15:00:00", "300"}, {"2026-11-20T00:00:00", "7000"}, // free again
	} {
		in.Uses = append(in.Uses, rating.Use{Instance: "i", Metric: "requests", Key: fmt.Sprint(n), At: at(u.at), Value: money.MustParse(u.value)})
	}
	lines := expect(t, in, "2.00", "1.00") // from 13:00 to 15:00, and 110 calls beyond 10
	if !lines[1].From.Equal(at("2026-11-10T12:20:00")) || !lines[1].To.Equal(at("2026-11-10T15:00:00")) {
		t.Error(lines[1].From, lines[1].To)
	}
	in.Rules = 1 // the free plan's were the paid one's, and so was the hour that both ran in
	expect(t, in, "3.00", "129.00")
	in.Rules = 0
	in.Prices[0].From = at("2026-11-10T13:00:00") // the price came later: what was used before it is free, too
	expect(t, in, "2.00", "0.40")
}

func TestMeteredRates(t *testing.T) {
	in := input(november,
		catalog.Rate{Name: "calls", Model: "per_unit", Metric: "requests", Unit: money.MustParse("0.01"), Included: money.MustParse("500")},
		catalog.Rate{Name: "disk", Model: "per_unit", Metric: "disk", Unit: money.MustParse("0.10")})
	in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: at("2026-11-02T00:00:00"), To: at("2026-11-10T00:00:00")}}
	use := func(metric, when, value string) {
		in.Uses = append(in.Uses, rating.Use{Instance: "i", Metric: metric, Key: fmt.Sprint(len(in.Uses)), At: at(when), Value: money.MustParse(value)})
	}
	use("requests", "2026-11-02T01:00:00", "400")
	expect(t, in) // all of it is included
	use("requests", "2026-11-03T00:00:00", "300.5")
	use("requests", "2026-11-04T00:00:00", "-50")
	use("disk", "2026-11-05T00:00:00", "7")
	use("disk", "2026-11-04T00:00:00", "12")
	use("requests", "2026-10-31T23:59:59", "1000") // another month's
	use("requests", "2026-12-01T00:00:00", "1000")
	lines := expect(t, in, "1.51", "1.20") // 150.5 at a cent: a half goes up
	if q := lines[0].Quantity.Text(0, 12); q != "150.5" {
		t.Error(q)
	}
	use("requests", "2026-11-20T00:00:00", "100") // a last reading after the end still counts
	expect(t, in, "2.51", "1.20")
}

func TestAggregations(t *testing.T) {
	uses := []rating.Use{
		{Metric: "m", Key: "b", At: november.From, Value: money.MustParse("4")},
		{Metric: "m", Key: "a", At: november.From, Value: money.MustParse("9")},
		{Metric: "m", Key: "c", At: october.From, Value: money.MustParse("2")},
		{Metric: "n", Key: "d", At: november.To, Value: money.MustParse("100")},
	}
	for aggregation, want := range map[string]string{"sum": "15", "count": "3", "min": "2", "max": "9", "avg": "5", "latest": "4"} {
		for range 2 {
			slices.Reverse(uses)
			got, err := rating.Aggregate(catalog.Metric{Name: "m", Aggregation: aggregation}, uses)
			if err != nil || got.Text(0, 3) != want {
				t.Errorf("%s: %s, %v", aggregation, got.Text(0, 3), err)
			}
		}
	}
	if _, err := rating.Aggregate(catalog.Metric{Name: "m", Aggregation: "unique"}, uses); err == nil {
		t.Error("an aggregation that is not built must be refused")
	}
}

func TestWhatCannotBeRatedIsRefused(t *testing.T) {
	in := input(november, catalog.Rate{Name: "x", Model: "graduated"})
	in.Intervals = []rating.Interval{{Instance: "i", Plan: "p", From: november.From}}
	wrong := func(part string) {
		t.Helper()
		if _, err := rating.Rate(in); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("want an error about %q, got %v", part, err)
		}
	}
	wrong("graduated")
	in.Prices[0].Rates = []catalog.Rate{{Name: "x", Model: "per_unit", Metric: "nothing"}}
	wrong("nothing")
	in.Prices[0].Rates = []catalog.Rate{hourly("1")}
	in.Currency = "XXX"
	wrong("XXX")
	in.Currency = "EUR"
	in.Intervals = append(in.Intervals, rating.Interval{Instance: "i", Plan: "p", From: november.From})
	wrong("overlap")
}

// situation draws instances that change plans, are suspended and report usage.
func situation(t *rapid.T) rating.Input {
	in := input(november, hourly("5.00"),
		catalog.Rate{Name: "room", Model: "fixed", Amount: money.MustParse("7.77"), Per: "month"},
		catalog.Rate{Name: "calls", Model: "per_unit", Metric: "requests", Unit: money.MustParse("0.0137"), Included: money.MustParse("10")})
	in.Prices = append(in.Prices, rating.Price{Plan: "q", Version: 1, Metrics: metrics, Rates: []catalog.Rate{hourly("11.10")}})
	moment := func(from time.Time) time.Time {
		return from.Add(time.Duration(rapid.Int64Range(1, int64(20*24*time.Hour)).Draw(t, "step")).Truncate(time.Microsecond))
	}
	for n := range rapid.IntRange(1, 3).Draw(t, "instances") {
		id, from := fmt.Sprint("i", n), moment(november.From.AddDate(0, 0, -10))
		for k := range rapid.IntRange(1, 4).Draw(t, "intervals") {
			i := rating.Interval{Instance: id, Plan: []string{"p", "free", "q"}[k%3], From: from, To: moment(from)}
			if rapid.Bool().Draw(t, "suspended") {
				i.Suspended = []rating.Span{{From: from.Add(time.Minute), To: moment(from)}}
			}
			in.Intervals, from = append(in.Intervals, i), i.To
		}
		for k := range rapid.IntRange(0, 6).Draw(t, "uses") {
			in.Uses = append(in.Uses, rating.Use{Instance: id, Metric: "requests", Key: fmt.Sprint(k), At: moment(november.From), Value: money.FromInt(rapid.Int64Range(0, 99).Draw(t, "value"))})
		}
	}
	return in
}

func rated(t *rapid.T, in rating.Input) []rating.Line {
	lines, err := rating.Rate(in)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

// same compares what lines say, not how their ratios are held.
func same(a, b []rating.Line) bool {
	return slices.EqualFunc(a, b, func(x, y rating.Line) bool {
		q := x.Quantity.Cmp(y.Quantity) == 0 && x.UnitPrice.Cmp(y.UnitPrice) == 0
		x.Quantity, x.UnitPrice, x.Included = y.Quantity, y.UnitPrice, y.Included
		return q && reflect.DeepEqual(x, y)
	})
}

func TestCuttingAndShufflingChangeNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := situation(t)
		want := rated(t, in)
		cut := in
		cut.Intervals = nil
		for _, i := range in.Intervals {
			middle := i.From.Add(i.To.Sub(i.From) * time.Duration(rapid.IntRange(0, 100).Draw(t, "where")) / 100).Truncate(time.Microsecond)
			if middle.Before(i.From) {
				middle = i.From
			}
			left, right := i, i
			left.To, right.From = middle, middle
			cut.Intervals = append(cut.Intervals, left, right)
		}
		cut.Intervals = rapid.Permutation(cut.Intervals).Draw(t, "intervals")
		cut.Uses = rapid.Permutation(in.Uses).Draw(t, "uses")
		cut.Prices = rapid.Permutation(in.Prices).Draw(t, "prices")
		if got := rated(t, cut); !same(got, want) {
			t.Fatalf("got  %+v\nwant %+v", got, want)
		}
	})
}

func TestTimeOnlyAddsAndTheEndIsFinal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := situation(t)
		total := func(until time.Time) int64 {
			in.Until = until
			var sum int64
			for _, l := range rated(t, in) {
				sum += l.Amount.Minor
			}
			return sum
		}
		a := november.From.Add(time.Duration(rapid.Int64Range(0, int64(30*24*time.Hour)).Draw(t, "a")))
		b := a.Add(time.Duration(rapid.Int64Range(0, int64(10*24*time.Hour)).Draw(t, "b")))
		if early, late, end := total(a), total(b), total(time.Time{}); early > late || late > end || end != total(november.To) {
			t.Fatal(early, late, end)
		}
	})
}
