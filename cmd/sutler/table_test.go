package main

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

func TestTablesNeverCutWhatMatters(t *testing.T) {
	type charge struct{ what, name, amount, state string }
	items := []charge{
		{"a database of its own for a small shop, with a backup every night", "shopdb-of-the-north", "€1,234,567.89", "suspended"},
		{"connections 20\nstorage 1 GiB", "x", "€0.01", "ready"},
	}
	columns := []column[charge]{
		{title: "Description", cell: func(c charge) string { return c.what }, prose: true},
		{title: "Name", cell: func(c charge) string { return c.name }},
		{title: "Amount", cell: func(c charge) string { return c.amount }, right: true},
		{title: "State", cell: func(c charge) string { return c.state }},
	}
	for _, width := range []int{0, 30, 60, 62, 80, 120} {
		out := gridOf(items, columns).layout(width)
		for _, whole := range []string{"shopdb-of-the-north", "€1,234,567.89", "suspended", "€0.01", "every", "night"} {
			if !strings.Contains(out, whole) {
				t.Errorf("at %d characters %q is gone:\n%s", width, whole, out)
			}
		}
		if width < 60 {
			continue
		}
		for line := range strings.Lines(out) {
			if n := text.StringWidth(strings.TrimSuffix(line, "\n")); n > width {
				t.Errorf("a line of %d characters in %d:\n%s", n, width, out)
			}
		}
	}
	if out := gridOf(items, columns).layout(0); strings.Count(out, "\n") != 4 || !strings.Contains(out, "connections 20, storage 1 GiB") {
		t.Errorf("what programs read is no longer a line per item:\n%s", out)
	}
	if out := gridOf(items, columns).layout(30); !strings.Contains(out, "Amount       €1,234,567.89\n") {
		t.Errorf("a narrow terminal does not get a line per column:\n%s", out)
	}
}

// A column that says nothing takes no room on a terminal; programs that read lines find it where it always is.
func TestEmptyColumnsTakeNoRoom(t *testing.T) {
	g := grid{head: []string{"Name", "Note", "Size"}, right: []bool{false, false, true}, prose: []bool{false, true, false}, rows: [][]string{{"a", "", "1"}, {"b", "", "2"}}}
	if out := g.layout(80); strings.Contains(out, "Note") || !strings.Contains(out, "Size") || !strings.Contains(out, "a        1") {
		t.Errorf("on a terminal:\n%s", out)
	}
	if out := g.layout(0); !strings.Contains(out, "Note") {
		t.Errorf("for programs:\n%s", out)
	}
	g.rows[1][1] = "late"
	if out := g.layout(80); !strings.Contains(out, "Note") || !strings.Contains(out, "late") {
		t.Errorf("with one note:\n%s", out)
	}
}

// What is said of many rows stands once under the table, where a column would break it into slivers.
func TestNotesStandUnderTheTable(t *testing.T) {
	type sale struct{ plan, seller, note string }
	why := "The disks of rack 4 are being changed; back on Thursday morning, perhaps a little later."
	items := []sale{{"mysql:dev", "mariadb-local", why}, {"mysql:small", "mariadb-local", why}, {"redis:dev", "redis-local", ""}}
	columns := []column[sale]{
		{title: "Plan", cell: func(s sale) string { return s.plan }},
		{title: "Provider", cell: func(s sale) string { return s.seller }},
		{title: "Note", cell: func(s sale) string { return s.note }, prose: true, foot: func(s sale) string { return s.seller }},
	}
	for _, width := range []int{12, 80} {
		out := gridOf(items, columns).layout(width)
		if strings.Contains(out, "Note") || strings.Count(out, "rack") != 1 || !strings.Contains(out, "\n\nmariadb-local: The") {
			t.Errorf("at %d characters:\n%s", width, out)
		}
	}
	if out := gridOf(items, columns).layout(0); strings.Count(out, why) != 2 || strings.Count(out, "\n") != 5 {
		t.Errorf("for programs:\n%s", out)
	}
	if out := gridOf(items[2:], columns).layout(80); strings.Contains(out, "\n\n") || strings.Contains(out, "Note") {
		t.Errorf("without notes:\n%s", out)
	}
}
