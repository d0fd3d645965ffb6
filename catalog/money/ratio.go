package money

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// ErrDivision is given for a division by zero.
var ErrDivision = errors.New("division by zero")

// Ratio is an exact fraction: what a price becomes while it is prorated, taxed or shared. The zero value is 0. Ratios are immutable.
type Ratio struct{ r *big.Rat }

// NewRatio gives numerator/denominator, or ErrDivision.
func NewRatio(numerator, denominator int64) (Ratio, error) {
	if denominator == 0 {
		return Ratio{}, ErrDivision
	}
	return Ratio{big.NewRat(numerator, denominator)}, nil
}

// Whole gives n as a Ratio.
func Whole(n int64) Ratio { return Ratio{new(big.Rat).SetInt64(n)} }

// Rat gives a copy in the standard library's type.
func (x Ratio) Rat() *big.Rat { return new(big.Rat).Set(x.rat()) }

func (x Ratio) rat() *big.Rat {
	if x.r == nil {
		return new(big.Rat)
	}
	return x.r
}

// Add gives x+y.
func (x Ratio) Add(y Ratio) Ratio { return Ratio{new(big.Rat).Add(x.rat(), y.rat())} }

// Sub gives x-y.
func (x Ratio) Sub(y Ratio) Ratio { return Ratio{new(big.Rat).Sub(x.rat(), y.rat())} }

// Mul gives x*y.
func (x Ratio) Mul(y Ratio) Ratio { return Ratio{new(big.Rat).Mul(x.rat(), y.rat())} }

// Quo gives x/y, or ErrDivision.
func (x Ratio) Quo(y Ratio) (Ratio, error) {
	if y.Sign() == 0 {
		return Ratio{}, ErrDivision
	}
	return Ratio{new(big.Rat).Quo(x.rat(), y.rat())}, nil
}

// Cmp compares: -1, 0 or +1.
func (x Ratio) Cmp(y Ratio) int { return x.rat().Cmp(y.rat()) }

// Sign is -1, 0 or +1.
func (x Ratio) Sign() int { return x.rat().Sign() }

// Text writes x as a decimal for people, with at least and at most so many decimals. What does not fit is rounded half away from zero:
// a text is shown, never computed with.
func (x Ratio) Text(atLeast, atMost int) string {
	s := x.rat().FloatString(atMost) // big.Rat's name for plain decimal notation; no float is involved
	whole, fraction, _ := strings.Cut(s, ".")
	for len(fraction) > atLeast && strings.HasSuffix(fraction, "0") {
		fraction = fraction[:len(fraction)-1]
	}
	if fraction == "" {
		if whole == "-0" {
			return "0"
		}
		return whole
	}
	return whole + "." + fraction
}

// Decimal gives x as a Decimal rounded half away from zero to at most so many decimals, for figures that are shown.
func (x Ratio) Decimal(atMost int) (Decimal, error) { return Parse(x.Text(0, atMost)) }

// Rounding says what Round does with a half.
type Rounding string

// The roundings. The empty one is HalfAway.
const (
	HalfAway Rounding = "half_away" // 0.5 → 1, -0.5 → -1
	HalfEven Rounding = "half_even" // 0.5 → 0, 1.5 → 2
)

// Round gives x, which is in major units, in the currency's minor units: the one place where a fraction becomes money. The net line, a tax,
// a conversion and a share are each rounded by it once. Unknown currencies and overflow are errors.
func Round(x Ratio, currency string, how Rounding) (Amount, error) {
	digits, err := Digits(currency)
	if err != nil {
		return Amount{}, err
	}
	minor := new(big.Rat).Mul(x.rat(), new(big.Rat).SetInt(power(digits)))
	n, rest := new(big.Int).QuoRem(new(big.Int).Abs(minor.Num()), minor.Denom(), new(big.Int))
	half := new(big.Int).Lsh(rest, 1).Cmp(minor.Denom())
	switch {
	case half > 0, half == 0 && (how != HalfEven || n.Bit(0) == 1):
		n.Add(n, big.NewInt(1))
	}
	if minor.Sign() < 0 {
		n.Neg(n)
	}
	if !n.IsInt64() {
		return Amount{}, fmt.Errorf("%s %s: %w", x.Text(0, digits), currency, ErrOverflow)
	}
	return Amount{n.Int64(), currency}, nil
}

func power(digits int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)
}
