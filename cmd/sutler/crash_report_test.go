package main

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/internal/failpoint"
)

// crashRow is what a case came to.
type crashRow struct {
	crashCase
	store, driver       string
	passed              bool
	answered, converged time.Duration // from the start of the second process to its first answer, and to the legal end
}

// crashReport collects the rows of all lanes.
type crashReport struct {
	mu   sync.Mutex
	rows []crashRow
	took time.Duration
}

func (r *crashReport) add(row crashRow) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rows = append(r.rows, row)
}

// text is the report as a page.
func (r *crashReport) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Crash matrix\n\nMade by `make crash`. The program dies by kill -9 at one place of one operation, is started again without failpoints, and must come to the\n"+
		"legal end within 60 s: what had been accepted is done once, what had not leaves everything as it was. Each case compares what the backend\n"+
		"holds, tries the credentials that live and those that ended, counts billing intervals, and looks for work left over or failed.\n\n"+
		"**%d of %d cases passed** in %s.\n\n", r.passed(), len(r.rows), r.took.Round(time.Second))
	b.WriteString(r.tables(crashVerbs()))
	b.WriteString("\n## Places\n\n| place | what holds there |\n|---|---|\n")
	for _, p := range failpoint.Points() {
		fmt.Fprintf(&b, "| `%s` | %s |\n", p.Name, p.When)
	}
	return b.String()
}

func (r *crashReport) passed() (n int) {
	for _, row := range r.rows {
		if row.passed {
			n++
		}
	}
	return n
}

// tables are the cases by lane and verb, and how long they took.
func (r *crashReport) tables(verbs []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| store | driver | %s | all |\n|---|---|%s---:|\n", strings.Join(verbs, " | "), strings.Repeat("---:|", len(verbs)))
	for _, at := range r.lanes() {
		fmt.Fprintf(&b, "| %s | %s |", at[0], at[1])
		for _, verb := range append(slices.Clone(verbs), "") {
			fmt.Fprintf(&b, " %s |", r.cell(at, verb))
		}
		b.WriteString("\n")
	}
	b.WriteString("\nFrom the start of the second process (plans that take a second by themselves included):\n\n| | p50 | p95 | most |\n|---|---:|---:|---:|\n")
	b.WriteString(distribution("until it answers", r.times(func(w crashRow) time.Duration { return w.answered })))
	b.WriteString(distribution("until the legal end", r.times(func(w crashRow) time.Duration { return w.converged })))
	b.WriteString(distribution("from its first answer to the legal end", r.times(func(w crashRow) time.Duration { return w.converged - w.answered })))
	return b.String()
}

// section is the report as a part of a page.
func (r *crashReport) section(title string, verbs []string) string {
	return fmt.Sprintf("## %s\n\n**%d of %d cases passed** in %s.\n\n%s\n", title, r.passed(), len(r.rows), r.took.Round(time.Second), r.tables(verbs))
}

func (r *crashReport) lanes() (list [][2]string) {
	for _, row := range r.rows {
		if at := [2]string{row.store, row.driver}; !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	slices.SortFunc(list, func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	return list
}

func (r *crashReport) cell(at [2]string, verb string) string {
	var passed, all int
	for _, row := range r.rows {
		if row.store == at[0] && row.driver == at[1] && (verb == "" || row.verb == verb) {
			all++
			if row.passed {
				passed++
			}
		}
	}
	if all == 0 {
		return "–" // the driver has no such verb
	}
	return fmt.Sprintf("%d/%d", passed, all)
}

func (r *crashReport) times(of func(crashRow) time.Duration) (list []time.Duration) {
	for _, row := range r.rows {
		if row.passed {
			list = append(list, of(row))
		}
	}
	slices.Sort(list)
	return list
}

func distribution(name string, sorted []time.Duration) string {
	if len(sorted) == 0 {
		return ""
	}
	at := func(percent int) time.Duration {
		return sorted[min(len(sorted)-1, len(sorted)*percent/100)].Round(time.Millisecond)
	}
	return fmt.Sprintf("| %s | %s | %s | %s |\n", name, at(50), at(95), sorted[len(sorted)-1].Round(time.Millisecond))
}
