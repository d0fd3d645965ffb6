package money

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// The errors of amounts.
var (
	ErrOverflow = errors.New("the amount is too large")
	ErrMixed    = errors.New("amounts of different currencies do not add up")
	ErrDecimals = errors.New("more decimals than the currency has")
)

// Amount is money in minor units (cents for EUR) of one currency (ISO 4217).
type Amount struct {
	Minor    int64
	Currency string
}

// ParseAmount reads major units ("12.50") as an amount. Decimals beyond the currency's are refused unless they are zeros.
func ParseAmount(s, currency string) (Amount, error) {
	digits, err := Digits(currency)
	if err != nil {
		return Amount{}, err
	}
	d, err := Parse(s)
	if err != nil {
		return Amount{}, err
	}
	minor := new(big.Rat).Mul(d.Rat(), new(big.Rat).SetInt(power(digits)))
	if !minor.IsInt() {
		return Amount{}, fmt.Errorf("%q in %s: %w", s, currency, ErrDecimals)
	}
	if !minor.Num().IsInt64() {
		return Amount{}, fmt.Errorf("%q in %s: %w", s, currency, ErrOverflow)
	}
	return Amount{minor.Num().Int64(), currency}, nil
}

// String gives major units without the currency: "12.50", "-0.05", "1500" for JPY. An unknown currency is written in minor units.
func (a Amount) String() string {
	digits, err := Digits(a.Currency)
	if err != nil || digits == 0 {
		return fmt.Sprint(a.Minor)
	}
	sign, s := "", new(big.Int).SetInt64(a.Minor)
	if a.Minor < 0 {
		sign = "-"
		s.Neg(s)
	}
	text := s.String()
	if len(text) <= digits {
		text = strings.Repeat("0", digits+1-len(text)) + text
	}
	return sign + text[:len(text)-digits] + "." + text[len(text)-digits:]
}

// Ratio gives the amount in major units, to go on computing.
func (a Amount) Ratio() (Ratio, error) {
	digits, err := Digits(a.Currency)
	if err != nil {
		return Ratio{}, err
	}
	return Ratio{new(big.Rat).SetFrac(big.NewInt(a.Minor), power(digits))}, nil
}

// Add gives a+b, or ErrMixed or ErrOverflow.
func (a Amount) Add(b Amount) (Amount, error) {
	if a.Currency != b.Currency {
		return Amount{}, fmt.Errorf("%s and %s: %w", a.Currency, b.Currency, ErrMixed)
	}
	if b.Minor > 0 && a.Minor > math.MaxInt64-b.Minor || b.Minor < 0 && a.Minor < math.MinInt64-b.Minor {
		return Amount{}, ErrOverflow
	}
	return Amount{a.Minor + b.Minor, a.Currency}, nil
}

// Sub gives a-b, or ErrMixed or ErrOverflow.
func (a Amount) Sub(b Amount) (Amount, error) {
	n, err := b.Neg()
	if err != nil {
		return Amount{}, err
	}
	return a.Add(n)
}

// Neg gives -a, or ErrOverflow for the one amount that has no opposite.
func (a Amount) Neg() (Amount, error) {
	if a.Minor == math.MinInt64 {
		return Amount{}, ErrOverflow
	}
	return Amount{-a.Minor, a.Currency}, nil
}

// Sum adds amounts up, starting from zero of the currency.
func Sum(currency string, amounts ...Amount) (Amount, error) {
	total := Amount{0, currency}
	var err error
	for _, a := range amounts {
		if total, err = total.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}
