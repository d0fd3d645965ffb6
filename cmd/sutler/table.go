package main

import (
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// column is one column of a table of Ts.
type column[T any] struct {
	title string
	cell  func(T) string // several lines where it lists things
	right bool           // numbers and money
	wide  bool           // with -o wide alone
	prose bool           // may be broken into lines; what is not prose is never broken and never cut
	foot  func(T) string // on a terminal the cell stands under the table, once, after what this says it is about
}

const (
	gap     = 2  // between columns
	longest = 24 // characters of a word that prose is not broken in
)

// grid is a table as text, before it is laid out.
type grid struct {
	head  []string
	right []bool
	prose []bool
	rows  [][]string
	foot  []int       // columns that stand under the table on a terminal
	notes [][2]string // what they say, and about what
	bold  bool
}

func gridOf[T any](items []T, columns []column[T]) grid {
	var g grid
	for _, c := range columns {
		g.head, g.right, g.prose = append(g.head, c.title), append(g.right, c.right), append(g.prose, c.prose)
	}
	for i, c := range columns {
		if c.foot != nil {
			g.foot = append(g.foot, i)
		}
	}
	for _, item := range items {
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = c.cell(item)
			if c.foot == nil || row[i] == "" {
				continue
			}
			if note := [2]string{c.foot(item), row[i]}; !slices.Contains(g.notes, note) {
				g.notes = append(g.notes, note)
			}
		}
		g.rows = append(g.rows, row)
	}
	return g
}

// layout writes the table in at most width characters a line: prose is broken into lines, and when that is not enough every item gets
// a line per column. Without a width (0) every item is one line, for programs that read lines.
func (g grid) layout(width int) string {
	if width <= 0 {
		for _, row := range g.rows {
			for i := range row {
				row[i] = strings.ReplaceAll(row[i], "\n", ", ")
			}
		}
		return g.table(nil)
	}
	g = g.filled()
	widths, fits := g.widths(width)
	if !fits {
		return g.cards() + g.footed(width)
	}
	return g.table(widths) + g.footed(width)
}

// footed is what stands under the table.
func (g grid) footed(width int) string {
	var out strings.Builder
	for n, note := range g.notes {
		if n == 0 {
			out.WriteString("\n")
		}
		out.WriteString(text.WrapSoft(note[0]+": "+note[1], max(width, longest)) + "\n")
	}
	return out.String()
}

// filled is the table without the columns that say nothing in any row, on a terminal they only take room from those that do, and without those that
// stand under it.
func (g grid) filled() grid {
	out := grid{bold: g.bold, notes: g.notes, rows: make([][]string, len(g.rows))}
	for i, title := range g.head {
		if slices.Contains(g.foot, i) || !slices.ContainsFunc(g.rows, func(row []string) bool { return row[i] != "" }) {
			continue
		}
		out.head, out.right, out.prose = append(out.head, title), append(out.right, g.right[i]), append(out.prose, g.prose[i])
		for n, row := range g.rows {
			out.rows[n] = append(out.rows[n], row[i])
		}
	}
	return out
}

// widths gives every column its width, prose the less the wider it is; not ok when even its words are too wide.
func (g grid) widths(width int) (widths []int, ok bool) {
	least := make([]int, len(g.head))
	total := gap * len(g.head)
	for i, title := range g.head {
		whole, word := text.StringWidth(title), text.StringWidth(title)
		for _, row := range g.rows {
			whole = max(whole, text.LongestLineLen(row[i]))
			for _, w := range strings.Fields(row[i]) {
				word = max(word, min(text.StringWidth(w), longest))
			}
		}
		if least[i] = whole; g.prose[i] {
			least[i] = min(word, whole)
		}
		widths, total = append(widths, whole), total+whole
	}
	for ; total > width; total-- {
		widest := -1
		for i := range widths {
			if widths[i] > least[i] && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return nil, false
		}
		widths[widest]--
	}
	return widths, true
}

// table is our look: names underlined, nothing else drawn.
func (g grid) table(widths []int) string {
	t := table.NewWriter()
	style := table.Style{Name: "sutler", Box: table.StyleBoxLight, Format: table.FormatOptions{Header: text.FormatDefault}}
	style.Box.PaddingLeft, style.Box.PaddingRight, style.Box.MiddleSeparator = "", strings.Repeat(" ", gap), ""
	style.Options = table.Options{SeparateHeader: true}
	if g.bold {
		style.Color.Header = text.Colors{text.Bold}
	}
	t.SetStyle(style)
	var configs []table.ColumnConfig
	for i := range g.head {
		c := table.ColumnConfig{Number: i + 1}
		if g.right[i] {
			c.Align, c.AlignHeader = text.AlignRight, text.AlignRight
		}
		if g.prose[i] && widths != nil {
			c.WidthMax, c.WidthMaxEnforcer = widths[i], wrapped
		}
		configs = append(configs, c)
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(row(g.head))
	for _, r := range g.rows {
		t.AppendRow(row(r))
	}
	var out strings.Builder
	for line := range strings.Lines(t.Render() + "\n") {
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	return out.String()
}

// wrapped breaks every line of a cell between words.
func wrapped(cell string, width int) string {
	lines := strings.Split(cell, "\n")
	for i, line := range lines {
		lines[i] = text.WrapSoft(line, width)
	}
	return strings.Join(lines, "\n")
}

func row(cells []string) table.Row {
	r := make(table.Row, len(cells))
	for i, c := range cells {
		r[i] = c
	}
	return r
}

// cards writes every item as lines of its own, for terminals that are too narrow for a table.
func (g grid) cards() string {
	wide := 0
	for _, title := range g.head {
		wide = max(wide, text.StringWidth(title))
	}
	var out strings.Builder
	for n, r := range g.rows {
		if n > 0 {
			out.WriteString("\n")
		}
		for i, cell := range r {
			if cell != "" {
				indent := "\n" + strings.Repeat(" ", wide+gap)
				out.WriteString(text.Pad(g.head[i], wide+gap, ' ') + strings.ReplaceAll(cell, "\n", indent) + "\n")
			}
		}
	}
	return out.String()
}

// list writes items as was asked for.
func list[T any](s *session, items []T, none string, columns ...column[T]) error {
	if done, err := s.data(items); done {
		return err
	}
	if len(items) == 0 {
		s.say("%s", none)
		return nil
	}
	shown := slices.DeleteFunc(slices.Clone(columns), func(c column[T]) bool { return c.wide && s.output != "wide" })
	g := gridOf(items, shown)
	width, terminal := s.width()
	g.bold = terminal && s.env("NO_COLOR") == "" && s.env("TERM") != "dumb"
	_, err := s.out.Write([]byte(g.layout(width)))
	return err
}
