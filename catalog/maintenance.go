package catalog

import (
	"cmp"
	"strconv"
	"strings"
)

// Newer tells whether the maintenance version comes after the one that an instance is on, in the order of semantic versions. What is on none is
// behind every one; a version that is none comes after nothing.
func (m *Maintenance) Newer(on string) bool {
	if m == nil || !versionRule.MatchString(m.Version) {
		return false
	}
	return on == "" || compareVersions(m.Version, on) > 0
}

// compareVersions orders semantic versions; the build after a plus does not count.
func compareVersions(a, b string) int {
	a, _, _ = strings.Cut(a, "+")
	b, _, _ = strings.Cut(b, "+")
	coreA, preA, _ := strings.Cut(a, "-")
	coreB, preB, _ := strings.Cut(b, "-")
	if c := compareParts(coreA, coreB); c != 0 {
		return c
	}
	if preA == "" || preB == "" {
		return cmp.Compare(len(preB), len(preA)) // what leads to a version comes before it
	}
	return compareParts(preA, preB)
}

// compareParts orders what dots part: numbers by their size and before words, words by their letters, the shorter first.
func compareParts(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		x, badX := strconv.ParseUint(as[i], 10, 64)
		y, badY := strconv.ParseUint(bs[i], 10, 64)
		c := cmp.Compare(x, y)
		switch {
		case badX == nil && badY != nil:
			c = -1
		case badX != nil && badY == nil:
			c = 1
		case badX != nil:
			c = cmp.Compare(as[i], bs[i])
		}
		if c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}
