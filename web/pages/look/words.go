package look

import (
	"fmt"
	"html/template"
	"math/big"
	"strings"
	"time"
)

// words are what templates can say.
func words(files *Files) template.FuncMap {
	return template.FuncMap{
		"static": files.URL,
		"ago":    Ago,
		"stamp":  func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") },
		"minute": func(t time.Time) string { return t.UTC().Format("2 Jan, 15:04") },
		"iso":    func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"day":    func(t time.Time) string { return t.UTC().Format("2 Jan 2006") },
		"month":  func(t time.Time) string { return t.UTC().Format("January 2006") },
		"last":   func(t time.Time) time.Time { return t.Add(-time.Microsecond) }, // the last day of a half-open period
		"plural": plural,
		"join":   strings.Join,
		"words":  func(c any) []string { return strings.Split(fmt.Sprint(c), " ") }, // so that a line breaks between words alone
		"list":   func(s ...string) []string { return s },
		"bar":    func(percent int) int { return min(max(percent, 0), 100) },
		"facet":  func(name string, items []Facet) facets { return facets{name, items} },
	}
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Ago says how long ago t was, as people do.
func Ago(now, t time.Time) string {
	d := now.Sub(t)
	switch {
	case d < -time.Minute:
		return t.UTC().Format("2 Jan 2006")
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return fmt.Sprintf("%d s ago", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min ago", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h ago", int(d.Hours()))
	case d < 60*24*time.Hour:
		return fmt.Sprintf("%d d ago", int(d.Hours()/24))
	}
	return t.UTC().Format("2 Jan 2006")
}

// Money writes an amount in major units with its currency's sign: "€1,234.50". At least two decimals are kept, more only when they count.
func Money(currency, amount string) string {
	if amount == "" {
		return ""
	}
	sign := ""
	if rest, ok := strings.CutPrefix(amount, "-"); ok {
		sign, amount = "−", rest
	}
	whole, part, _ := strings.Cut(amount, ".")
	part = strings.TrimRight(part, "0")
	for len(part) < 2 {
		part += "0"
	}
	return sign + symbol(currency) + group(whole) + "." + part
}

// trimmed is Money without ".00", for prices in running text.
func trimmed(currency, amount string) string {
	return strings.TrimSuffix(Money(currency, amount), ".00")
}

func symbol(currency string) string {
	switch currency {
	case "EUR":
		return "€"
	case "USD":
		return "$"
	case "GBP":
		return "£"
	case "":
		return ""
	}
	return currency + "\u00a0"
}

// Quantity writes a decimal with grouped thousands and without trailing zeros.
func Quantity(s string) string {
	sign := ""
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		sign, s = "−", rest
	}
	whole, part, _ := strings.Cut(s, ".")
	if part = strings.TrimRight(part, "0"); part != "" {
		part = "." + part
	}
	return sign + group(whole) + part
}

// Units is the unit's word for that many: words take their plural, symbols stay.
func Units(quantity, unit string) string {
	word := len(unit) > 2 && strings.Trim(unit, "abcdefghijklmnopqrstuvwxyz") == ""
	switch {
	case quantity == "1" || !word || strings.HasSuffix(unit, "s"):
		return unit
	case strings.HasSuffix(unit, "y"):
		return strings.TrimSuffix(unit, "y") + "ies"
	}
	return unit + "s"
}

func group(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Bytes writes a size with a binary unit: "512 MiB".
func Bytes(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB", "PiB"}
	v, i := new(big.Rat).SetInt64(n), 0
	for k := big.NewRat(1024, 1); i < len(units)-1 && v.Cmp(k) >= 0; i++ {
		v.Quo(v, k)
	}
	return Quantity(v.FloatString(1)) + "\u00a0" + units[i]
}

// Span writes a short duration in milliseconds, or in seconds from one on: "0.84 ms", "14.2 ms", "118 ms".
func Span(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 1:
		return fmt.Sprintf("%.2f\u00a0ms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1f\u00a0ms", ms)
	case ms < 1000:
		return fmt.Sprintf("%.0f\u00a0ms", ms)
	}
	return fmt.Sprintf("%.1f\u00a0s", ms/1000)
}

// significant rounds a positive ratio to n significant digits in plain notation, for prices shown beside the exact ones.
func significant(r *big.Rat, n int) string {
	if r.Sign() == 0 {
		return "0"
	}
	places := n
	for v := new(big.Rat).Abs(r); v.Cmp(big.NewRat(1, 10)) < 0 && places < n+12; places++ {
		v.Mul(v, big.NewRat(10, 1))
	}
	s := r.FloatString(places)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
