// Package money holds exact quantities and amounts. It owns decimals, minor units, ratios, the named roundings and fair splits;
// it does not know rates, invoices or exchange sources. No float enters or leaves.
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

// Decimal is an exact decimal of at most 38 significant digits: a price or a quantity. The zero value is 0. Decimals are immutable.
type Decimal struct{ d apd.Decimal }

var exact = apd.Context{Precision: 38, MaxExponent: 1000, MinExponent: -1000, Traps: apd.DefaultTraps | apd.Inexact | apd.Overflow | apd.Underflow, Rounding: apd.RoundHalfUp}

// Parse reads a decimal such as "12.50" or "-3". Exponents, infinities, NaN and blanks are refused.
func Parse(s string) (Decimal, error) {
	if s == "" || strings.ContainsAny(s, "eE_ \t") {
		return Decimal{}, fmt.Errorf("%q: %w", s, ErrNotDecimal)
	}
	d, _, err := exact.NewFromString(s)
	if err != nil || d.Form != apd.Finite {
		return Decimal{}, fmt.Errorf("%q: %w", s, ErrNotDecimal)
	}
	return Decimal{*d}, nil
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

// String gives plain notation without an exponent.
func (d Decimal) String() string { return d.d.Text('f') }

// Rat gives the exact value as a ratio.
func (d Decimal) Rat() *big.Rat {
	r, _ := new(big.Rat).SetString(d.d.Text('f'))
	return r
}

// Add gives d+e, or an error when 38 digits do not hold the exact result.
func (d Decimal) Add(e Decimal) (Decimal, error) {
	var r apd.Decimal
	_, err := exact.Add(&r, &d.d, &e.d)
	return Decimal{r}, err
}

// Sub gives d-e, or an error when 38 digits do not hold the exact result.
func (d Decimal) Sub(e Decimal) (Decimal, error) {
	var r apd.Decimal
	_, err := exact.Sub(&r, &d.d, &e.d)
	return Decimal{r}, err
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

// Amount is money in minor units (cents for EUR) of one currency (ISO 4217).
type Amount struct {
	Minor    int64
	Currency string
}
