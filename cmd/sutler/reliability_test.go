package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const reliabilityHead = `# How soon work goes on

Made by ` + "`make crash`" + `: each row is written by the test it names, on the machine that ran it. Three processes are three real ones on one PostgreSQL.

| what | asked for | n | p50 | p95 | worst | test |
|---|---|---:|---:|---:|---:|---|
`

// reliability guards the page: tests that run beside each other write rows of it.
var reliability sync.Mutex

// reports tells whether the tests run long enough to say something of distributions, and where to.
func reports() (page string, yes bool) {
	page = os.Getenv("SUTLER_RELIABILITY")
	return page, page != ""
}

// rounds is how often a test does its thing: once, or often enough for a distribution.
func rounds(often int) int {
	if _, yes := reports(); yes {
		return often
	}
	return 1
}

// reportTimes logs a distribution and puts it into the page under what it is of, in place of what a former run said.
func reportTimes(t *testing.T, what, asked string, times []time.Duration) {
	t.Helper()
	if len(times) == 0 {
		t.Errorf("nothing was measured of %s", what)
		return
	}
	times = slices.Sorted(slices.Values(times))
	at := func(percent int) time.Duration { return times[len(times)*percent/100].Round(time.Millisecond) }
	row := fmt.Sprintf("| %s | %s | %d | %s | %s | %s | `%s` |", what, asked, len(times), at(50), at(95), times[len(times)-1].Round(time.Millisecond), t.Name())
	t.Log(row)
	page, yes := reports()
	if !yes {
		return
	}
	reliability.Lock()
	defer reliability.Unlock()
	if err := os.WriteFile(page, []byte(withRow(page, what, row)), 0o644); err != nil {
		t.Error(err)
	}
}

// withRow is the page with a row, in the order of their names.
func withRow(page, what, row string) string {
	old, _ := os.ReadFile(page) // none yet: the first row
	_, table, _ := strings.Cut(string(old), "|---|---|---:|---:|---:|---:|---|\n")
	rows := []string{row}
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "| "+what+" |") {
			rows = append(rows, line)
		}
	}
	slices.Sort(rows)
	return reliabilityHead + strings.Join(rows, "\n") + "\n"
}
