package money_test

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"github.com/sutlerhq/sutler/catalog/money"
	"pgregory.net/rapid"
)

func TestParseTakesPlainDecimalsOnly(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "-0.00": "0.00", "12.50": "12.50", "-3": "-3", "00012": "12", "0.000000000000000001": "0.000000000000000001",
		"12345678901234567890123456789012345678": "12345678901234567890123456789012345678",
	} {
		if d, err := money.Parse(text); err != nil || d.String() != want {
			t.Errorf("Parse(%q) = %s, %v; want %s", text, d, err, want)
		}
	}
	for _, text := range []string{
		"", " 1", "1 ", "+1", "1e3", "1E3", ".5", "5.", "-", ".", "--1", "1.2.3", "NaN", "Infinity", "1,000", "1_000", "0x10", "٣",
		"123456789012345678901234567890123456789",
	} {
		if d, err := money.Parse(text); !errors.Is(err, money.ErrNotDecimal) {
			t.Errorf("Parse(%q) = %s, %v; want ErrNotDecimal", text, d, err)
		}
	}
}

func TestMulIsExactOrAnError(t *testing.T) {
	p, err := money.MustParse("1234567890.123456789").Mul(money.MustParse("1.0000000001"))
	if err != nil || p.String() != "1234567890.2469135780123456789" {
		t.Error(p, err)
	}
	long := money.MustParse("1.2345678901234567890123456789")
	if _, err := long.Mul(long); !errors.Is(err, money.ErrInexact) {
		t.Error("a product of 57 digits must be refused, got", err)
	}
}

func TestRound(t *testing.T) {
	for _, c := range []struct {
		exact, currency string
		how             money.Rounding
		want            string
	}{
		{"47.34075", "USD", "", "47.34"},
		{"47.34075", "JPY", "", "47"},
		{"1.5", "KWD", "", "1.500"},
		{"0.005", "EUR", "", "0.01"},
		{"-0.005", "EUR", "", "-0.01"},
		{"0.005", "EUR", money.HalfEven, "0.00"},
		{"0.015", "EUR", money.HalfEven, "0.02"},
		{"-0.015", "EUR", money.HalfEven, "-0.02"},
		{"0.0049999", "EUR", "", "0.00"},
		{"-0.001", "EUR", "", "0.00"},
	} {
		got, err := money.Round(money.MustParse(c.exact).Ratio(), c.currency, c.how)
		if err != nil || got.String() != c.want {
			t.Errorf("Round(%s, %s, %q) = %s, %v; want %s", c.exact, c.currency, c.how, got, err, c.want)
		}
	}
	if _, err := money.Round(money.MustParse("92233720368547758.08").Ratio(), "EUR", ""); !errors.Is(err, money.ErrOverflow) {
		t.Error("overflow, got", err)
	}
	if _, err := money.Round(money.Ratio{}, "EURO", ""); !errors.Is(err, money.ErrCurrency) {
		t.Error("unknown currency, got", err)
	}
}

func TestAmountsOfCurrencies(t *testing.T) {
	for _, c := range []struct {
		text, currency string
		minor          int64
		shown          string
	}{
		{"12.5", "EUR", 1250, "12.50"},
		{"-0.05", "EUR", -5, "-0.05"},
		{"1500", "JPY", 1500, "1500"},
		{"1500.00", "JPY", 1500, "1500"},
		{"1.5", "KWD", 1500, "1.500"},
		{"0", "CHF", 0, "0.00"},
	} {
		a, err := money.ParseAmount(c.text, c.currency)
		if err != nil || a.Minor != c.minor || a.String() != c.shown {
			t.Errorf("%s %s = %d %q, %v", c.text, c.currency, a.Minor, a, err)
		}
	}
	if _, err := money.ParseAmount("0.001", "EUR"); !errors.Is(err, money.ErrDecimals) {
		t.Error(err)
	}
	if _, err := money.ParseAmount("1.5", "JPY"); !errors.Is(err, money.ErrDecimals) {
		t.Error(err)
	}
	for _, bad := range []string{"", "eur", "EU", "EURO", "R U", "XXX"} {
		if _, err := money.Digits(bad); !errors.Is(err, money.ErrCurrency) {
			t.Errorf("Digits(%q): %v", bad, err)
		}
	}
}

func TestAmountArithmeticRefusesWhatIsWrong(t *testing.T) {
	top, low := money.Amount{Minor: math.MaxInt64, Currency: "EUR"}, money.Amount{Minor: math.MinInt64, Currency: "EUR"}
	if _, err := top.Add(money.Amount{Minor: 1, Currency: "EUR"}); !errors.Is(err, money.ErrOverflow) {
		t.Error(err)
	}
	if _, err := low.Add(money.Amount{Minor: -1, Currency: "EUR"}); !errors.Is(err, money.ErrOverflow) {
		t.Error(err)
	}
	if _, err := low.Neg(); !errors.Is(err, money.ErrOverflow) {
		t.Error(err)
	}
	if _, err := top.Sub(money.Amount{Minor: 1, Currency: "USD"}); !errors.Is(err, money.ErrMixed) {
		t.Error(err)
	}
	if low.String() != "-92233720368547758.08" {
		t.Error(low)
	}
}

func TestSplitGivesTheRestToTheLargestRemainder(t *testing.T) {
	for _, c := range []struct {
		total   int64
		weights []int64
		want    []int64
	}{
		{1000, []int64{100, 50, 30, 20}, []int64{500, 250, 150, 100}},
		{100, []int64{1, 1, 1}, []int64{34, 33, 33}},
		{-100, []int64{1, 1, 1}, []int64{-34, -33, -33}},
		{2, []int64{0, 1, 1, 1}, []int64{0, 1, 1, 0}},
		{0, []int64{1, 2}, []int64{0, 0}},
		{math.MinInt64, []int64{1}, []int64{math.MinInt64}},
	} {
		got, err := money.Split(money.Amount{Minor: c.total, Currency: "EUR"}, wholes(c.weights))
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if got[i].Minor != c.want[i] {
				t.Errorf("Split(%d, %v) = %v, want %v", c.total, c.weights, got, c.want)
				break
			}
		}
	}
	for _, bad := range [][]int64{nil, {0, 0}, {2, -1}} {
		if _, err := money.Split(money.Amount{Minor: 1, Currency: "EUR"}, wholes(bad)); !errors.Is(err, money.ErrWeights) {
			t.Error(bad, err)
		}
	}
}

func wholes(n []int64) []money.Ratio {
	out := make([]money.Ratio, len(n))
	for i, w := range n {
		out[i] = money.Whole(w)
	}
	return out
}

func TestRatioText(t *testing.T) {
	third, _ := money.NewRatio(1, 3)
	small, _ := money.NewRatio(-1, 3000)
	for want, got := range map[string]string{
		"0.333333333333": third.Text(0, 12), "0.33": third.Text(2, 2), "0": small.Text(0, 2), "5.00": money.Whole(5).Text(2, 12), "5": money.Whole(5).Text(0, 12),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

var text = rapid.StringMatching(`-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?`)

func TestDecimalsAgreeWithTheOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		x, y := money.MustParse(a), money.MustParse(b)
		p, _ := new(big.Rat).SetString(a)
		q, _ := new(big.Rat).SetString(b)
		if s, err := x.Add(y); err == nil && s.Rat().Cmp(new(big.Rat).Add(p, q)) != 0 {
			t.Fatalf("%s + %s = %s", a, b, s)
		}
		if s, err := x.Sub(y); err == nil && s.Rat().Cmp(new(big.Rat).Sub(p, q)) != 0 {
			t.Fatalf("%s - %s = %s", a, b, s)
		}
		if s, err := x.Mul(y); err == nil && s.Rat().Cmp(new(big.Rat).Mul(p, q)) != 0 {
			t.Fatalf("%s * %s = %s", a, b, s)
		}
		if again := money.MustParse(x.String()); again.Cmp(x) != 0 || again.String() != x.String() {
			t.Fatalf("%s does not survive a round trip", a)
		}
	})
}

func TestRoundIsWithinHalfAMinorUnit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency")
		n, d := rapid.Int64Range(-1e15, 1e15).Draw(t, "n"), rapid.Int64Range(1, 1e9).Draw(t, "d")
		how := rapid.SampledFrom([]money.Rounding{money.HalfAway, money.HalfEven}).Draw(t, "how")
		x, _ := money.NewRatio(n, d)
		a, err := money.Round(x, currency, how)
		if err != nil {
			t.Fatal(err)
		}
		back, _ := a.Ratio()
		digits, _ := money.Digits(currency)
		off := new(big.Rat).Mul(new(big.Rat).Abs(x.Sub(back).Rat()), big.NewRat(2, 1))
		unit := new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil))
		if off.Cmp(unit) > 0 {
			t.Fatalf("%d/%d became %s %s", n, d, a, currency)
		}
	})
}

func TestAmountsSurviveARoundTripAndPartsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Amount{Minor: rapid.Int64().Draw(t, "minor"), Currency: rapid.SampledFrom([]string{"EUR", "JPY", "KWD"}).Draw(t, "currency")}
		if again, err := money.ParseAmount(a.String(), a.Currency); err != nil || again != a {
			t.Fatal(a, again, err)
		}
		weights := rapid.SliceOfN(rapid.Int64Range(0, 1e6), 1, 9).Draw(t, "weights")
		weights[0]++
		parts, err := money.Split(a, wholes(weights))
		if err != nil {
			t.Fatal(err)
		}
		if sum, err := money.Sum(a.Currency, parts...); err != nil || sum != a {
			t.Fatal(a, parts, sum, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"0", "-12.50", "1e9", "..", "99999999999999999999999999999999999999.9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := money.Parse(s)
		if err != nil {
			return
		}
		again, err := money.Parse(d.String())
		if err != nil || again.Cmp(d) != 0 {
			t.Fatalf("%q became %s and then %s, %v", s, d, again, err)
		}
		want, ok := new(big.Rat).SetString(s)
		if !ok || want.Cmp(d.Rat()) != 0 {
			t.Fatalf("%q became %s", s, d)
		}
	})
}

func FuzzParseAmount(f *testing.F) {
	for _, s := range []string{"0", "12.50", "-0.05", "1e3", "0.001", "92233720368547758.07", "92233720368547758.08", "NaN", "1_0"} {
		f.Add(s, "EUR")
		f.Add(s, "JPY")
	}
	f.Add("1", "XXX")
	f.Fuzz(func(t *testing.T, s, currency string) {
		a, err := money.ParseAmount(s, currency)
		if err != nil {
			return
		}
		if again, err := money.ParseAmount(a.String(), currency); err != nil || again != a {
			t.Fatalf("%q %s became %s and then %s, %v", s, currency, a, again, err)
		}
	})
}
