package pages

import (
	"strings"
	"unicode"

	"github.com/sutlerhq/sutler/catalog"
)

// matches tells whether each word of the query is in the offering: within one of its words, or one or two slips of the finger from it.
func matches(query string, o catalog.Offering) bool {
	have := words(strings.Join(append([]string{o.Name, o.DisplayName, string(o.Kind), o.Category, o.Provider, o.Region, o.Description}, o.Tags...), " "))
	for _, want := range words(query) {
		if !anyNear(want, have) {
			return false
		}
	}
	return true
}

func words(s string) []string {
	return strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

func anyNear(want string, have []string) bool {
	for _, w := range have {
		if strings.Contains(w, want) || near([]rune(want), []rune(w)) {
			return true
		}
	}
	return false
}

// near tells whether want is the word, or the beginning of the word, but for a slip: one in four letters or more, two in eight or more.
func near(want, word []rune) bool {
	slips := min(len(want)/4, 2)
	if slips == 0 {
		return false
	}
	for n := max(len(want)-slips, 1); n <= min(len(want)+slips, len(word)); n++ {
		if distance(want, word[:n]) <= slips {
			return true
		}
	}
	return false
}

// distance counts the letters to change, add, leave out or swap with their neighbour between a and b.
func distance(a, b []rune) int {
	d := make([][]int, len(a)+1)
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			d[i][j] = min(d[i-1][j]+1, d[i][j-1]+1, d[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
