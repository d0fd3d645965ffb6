package main

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"
)

// limits writes a plan's limits, one a line, bytes in binary units: "connections 20", "storage 1 GiB".
func limits(l map[string]int64) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(l)) {
		if what, found := strings.CutSuffix(name, "_bytes"); found {
			parts = append(parts, what+" "+size(l[name]))
			continue
		}
		parts = append(parts, fmt.Sprintf("%s %d", name, l[name]))
	}
	return strings.Join(parts, "\n")
}

// size writes a number of bytes in the largest unit that leaves it whole.
func size(n int64) string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	at, whole := 0, n
	for at < len(units)-1 && whole >= 1024 && whole%1024 == 0 {
		at, whole = at+1, whole/1024
	}
	return fmt.Sprintf("%d %s", whole, units[at])
}

// quantity writes a decimal with its unit, in the plural where that is a word: "1 hour", "194 hours", "3 GiB". More than four decimals
// are rounded away, and of bytes all, unless nothing were left: this is for reading, programs get them all.
func quantity(n, unit string) string {
	if exact, ok := new(big.Rat).SetString(n); ok {
		places := 4
		if unit == "byte" && exact.Cmp(big.NewRat(1, 1)) >= 0 {
			places = 0
		}
		if _, decimals, _ := strings.Cut(n, "."); len(decimals) > places {
			if n = exact.FloatString(places); places > 0 {
				n = strings.TrimRight(strings.TrimRight(n, "0"), ".")
			}
		}
	}
	if n != "1" {
		unit = plural(unit)
	}
	return strings.TrimSpace(n + " " + unit)
}

// plural is a unit as several are called: "queries", "messages"; what is no word, such as GiB, stays.
func plural(unit string) string {
	stem, y := strings.CutSuffix(unit, "y")
	switch {
	case unit == "" || strings.HasSuffix(unit, "s") || strings.Trim(unit, "abcdefghijklmnopqrstuvwxyz") != "":
		return unit
	case y && stem != "" && !strings.ContainsAny(stem[len(stem)-1:], "aeiou"):
		return stem + "ies"
	}
	return unit + "s"
}

// lasting writes a duration as people say it: "31 days", "1 day 12h", "1h30m".
func lasting(d time.Duration) string {
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	short := rest.Round(time.Second).String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(short, zero) {
			short = strings.TrimSuffix(short, zero[1:])
		}
	}
	switch {
	case days == 0:
		return short
	case rest == 0:
		return counted(int(days), "day")
	}
	return counted(int(days), "day") + " " + short
}

// when writes an instant for people.
func when(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04")
}

// whenever is when of what may not be there.
func whenever(t *time.Time, never string) string {
	if t == nil {
		return never
	}
	return when(*t)
}

// span reads "90m", "36h", "31d".
func span(word string) (time.Duration, error) {
	if days, found := strings.CutSuffix(word, "d"); found {
		var n int
		if _, err := fmt.Sscanf(days+" ", "%d ", &n); err == nil && n > 0 && n <= 36500 && fmt.Sprint(n) == days {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(word)
	if err != nil || d <= 0 {
		return 0, usagef("%q is no duration.", word).next("Write 90m, 36h or 31d.")
	}
	return d, nil
}
