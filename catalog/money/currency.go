package money

import (
	"errors"
	"fmt"
	"strings"
)

// ErrCurrency is given for a code that is no currency in use.
var ErrCurrency = errors.New("not a known currency (three capital letters of ISO 4217)")

// Currencies whose minor unit is the major one, and those with a thousand minor units. MGA's fifths are never written: it counts as whole.
const (
	noDecimals    = "BIF CLP DJF GNF ISK JPY KMF KRW MGA PYG RWF UGX UYI VND VUV XAF XOF XPF"
	threeDecimals = "BHD IQD JOD KWD LYD OMR TND"
	twoDecimals   = "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CNY COP CRC CUP CVE CZK " +
		"DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT " +
		"LAK LBP LKR LRD LSL MAD MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR " +
		"RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS " +
		"VES WST XCD YER ZAR ZMW"
)

// Digits gives the number of decimals of a currency's amounts, or ErrCurrency.
func Digits(currency string) (int, error) {
	if len(currency) != 3 || strings.Contains(currency, " ") {
		return 0, fmt.Errorf("%.20q: %w", currency, ErrCurrency)
	}
	switch {
	case strings.Contains(twoDecimals, currency):
		return 2, nil
	case strings.Contains(noDecimals, currency):
		return 0, nil
	case strings.Contains(threeDecimals, currency):
		return 3, nil
	}
	return 0, fmt.Errorf("%.20q: %w", currency, ErrCurrency)
}
