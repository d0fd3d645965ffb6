package money

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/cockroachdb/apd/v3"
)

// ErrNotDecimal is given for text that is no finite decimal number of at most 38 digits.
var ErrNotDecimal = errors.New("not a decimal number")

// ErrInexact is given when 38 digits do not hold an exact result.
var ErrInexact = errors.New("the exact result has more than 38 digits")

// maxText bounds what Parse looks at: 38 digits, a sign, a point and leading zeros that somebody may have typed.
const maxText = 80

// Decimal is an exact decimal of at most 38 significant digits: a price or a quantity. The zero value is 0. Decimals are immutable.
type Decimal struct{ d apd.Decimal }

var exact = apd.Context{
	Precision: 38, MaxExponent: 1000, MinExponent: -1000, Rounding: apd.RoundHalfUp,
	Traps: apd.DefaultTraps | apd.Inexact | apd.Overflow | apd.Underflow,
}

// Parse reads a decimal such as "12.50" or "-3". Exponents, infinities, NaN, blanks and a leading "+" are refused.
func Parse(s string) (Decimal, error) {
	if !plain(s) {
		return Decimal{}, fmt.Errorf("%.40q: %w", s, ErrNotDecimal)
	}
	d, _, err := exact.NewFromString(s)
	if err != nil || d.Form != apd.Finite {
		return Decimal{}, fmt.Errorf("%.40q: %w", s, ErrNotDecimal)
	}
	if d.IsZero() {
		d.Negative = false
	}
	return Decimal{*d}, nil
}

// plain tells whether s is digits with at most one point among or before them, and at most one leading minus.
func plain(s string) bool {
	whole, fraction, pointed := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if len(s) > maxText || whole == "" || pointed && fraction == "" {
		return false
	}
	digit := func(r rune) bool { return r < '0' || r > '9' }
	return !strings.ContainsFunc(whole, digit) && !strings.ContainsFunc(fraction, digit)
}

// MustParse is Parse for constants in tests and tables; it panics on an error.
func MustParse(s string) Decimal {
	d, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

// FromInt gives n as a Decimal.
func FromInt(n int64) Decimal { return Decimal{*apd.New(n, 0)} }

// String gives plain notation without an exponent, with the decimals it was written with.
func (d Decimal) String() string { return d.d.Text('f') }

// Rat gives the exact value as a ratio of the standard library.
func (d Decimal) Rat() *big.Rat {
	r, _ := new(big.Rat).SetString(d.d.Text('f'))
	return r
}

// Ratio gives the exact value as a Ratio, to go on computing without rounding.
func (d Decimal) Ratio() Ratio { return Ratio{d.Rat()} }

// Add gives d+e, or ErrInexact.
func (d Decimal) Add(e Decimal) (Decimal, error) { return d.with(exact.Add, e) }

// Sub gives d-e, or ErrInexact.
func (d Decimal) Sub(e Decimal) (Decimal, error) { return d.with(exact.Sub, e) }

// Mul gives d*e, or ErrInexact.
func (d Decimal) Mul(e Decimal) (Decimal, error) { return d.with(exact.Mul, e) }

func (d Decimal) with(op func(r, x, y *apd.Decimal) (apd.Condition, error), e Decimal) (Decimal, error) {
	var r apd.Decimal
	if _, err := op(&r, &d.d, &e.d); err != nil {
		return Decimal{}, fmt.Errorf("%s and %s: %w", d, e, ErrInexact)
	}
	if r.IsZero() {
		r.Negative = false
	}
	return Decimal{r}, nil
}

// Cmp compares: -1, 0 or +1.
func (d Decimal) Cmp(e Decimal) int { return d.d.Cmp(&e.d) }

// Sign is -1, 0 or +1.
func (d Decimal) Sign() int { return d.d.Sign() }

// IsZero tells whether d is 0.
func (d Decimal) IsZero() bool { return d.d.IsZero() }

// MarshalText writes plain notation, in JSON and YAML as a string.
func (d Decimal) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what Parse reads.
func (d *Decimal) UnmarshalText(b []byte) error {
	v, err := Parse(string(b))
	if err == nil {
		*d = v
	}
	return err
}
