package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers/providertest"
)

// testedForm is one form of a driver that the checks run against, and the server that they ran on.
type testedForm struct{ name, server string }

// testedForms are the columns of docs/providers.md.
func testedForms() []testedForm {
	return []testedForm{
		{"postgres, as superuser", "PostgreSQL 15"},
		{"postgres, as broker", "PostgreSQL 15, CREATEDB CREATEROLE"},
		{"postgres, dedicated", "PostgreSQL 15, a server per instance"},
		{"mysql", "MariaDB 10.11"},
		{"redis, own", "Redis 7.0, a server per instance"},
		{"redis, shared", "Redis 7.0, prefixes, for development"},
		{"rabbitmq", "RabbitMQ 3.10"},
		{"nats, embedded", "nats-server 2 in the process"},
		{"nats, given", "nats-server 2 in operator mode"},
		{"s3", "versitygw 1"},
	}
}

// untested says what the tables do not cover.
const untested = `
## What is not covered

- **AWS S3 and MinIO are not sold**: buckets and policies are the same there, access keys are made in another way. Nothing was checked against either.
- **MySQL 8 is untested** and refused when it is found. **Valkey is untested.**
- Other versions than those above, managed servers (RDS, Cloud SQL…) and clusters of PostgreSQL or MariaDB are untested.
- ` + "`osb`" + ` has no backend of its own: what it sells is as good as its upstream. Its tests run it against a broker of their own;
  ` + "`sutler provider certify`" + ` runs these checks against a real upstream whose kind is known.
- A limit marked *not offered* in the row of ` + "`excess_told`" + ` is held by the server at once, or by nobody: each driver's README says which.
- The figures are of one run on two shared cores; the ratios say more than the durations.
`

// TestProvidersDocument writes docs/providers.md from what the drivers' tests found, when the environment says where that is (make providers);
// else it verifies that the page is about the checks and drivers that there are, and that no cell of it says failed.
func TestProvidersDocument(t *testing.T) {
	page := filepath.Join("..", "..", "docs", "providers.md")
	if dir := os.Getenv(providertest.Folder); dir != "" {
		if err := os.WriteFile(page, []byte(providersPage(t, dir)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	raw, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for line := range strings.Lines(section(string(raw), "## Checks")) {
		if strings.HasPrefix(line, "|") {
			rows = append(rows, strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|"))
		}
	}
	checks, forms := providertest.Checks(), testedForms()
	if len(rows) != len(checks)+2 {
		t.Fatalf("%d rows for %d checks: run make providers", len(rows)-2, len(checks))
	}
	for n, f := range forms {
		if len(rows[0]) != len(forms)+1 || strings.TrimSpace(rows[0][n+1]) != f.name {
			t.Fatalf("the columns are %q: run make providers", rows[0])
		}
	}
	for n, c := range checks {
		row := rows[n+2]
		if !strings.Contains(row[0], "`"+c.Name+"`") {
			t.Errorf("row %d is %q, the check is %s: run make providers", n, row[0], c.Name)
		}
		for _, cell := range row[1:] {
			if text := strings.TrimSpace(cell); text != "passed" && text != "not offered" && text != "not in this run" {
				t.Errorf("%s: %q", c.Name, text)
			}
		}
	}
	for driver := range drivers() {
		named := slices.ContainsFunc(forms, func(f testedForm) bool { return strings.HasPrefix(f.name, driver) })
		if !named && driver != "fake" && driver != "osb" {
			t.Errorf("the driver %s has no column", driver)
		}
	}
}

// section is a part of a page, from its headline to the next.
func section(page, headline string) string {
	_, rest, _ := strings.Cut(page, headline+"\n")
	text, _, _ := strings.Cut(rest, "\n## ")
	return text
}

func providersPage(t *testing.T, dir string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Providers\n\nMade by `make providers`, from what the drivers' own tests found against real servers that they started. `make test` runs the same checks, and\n" +
		"verifies that this page is about the checks and drivers that there are. Each driver's README says what is held, watched and metered, in full.\n")
	found := map[string]providertest.Record{}
	var marks []providertest.Record
	for _, f := range testedForms() {
		r := recorded(t, dir, f.name, "checks")
		found[f.name] = r
		marks = append(marks, r)
	}
	b.WriteString("\n## Servers\n\n| driver | tested against |\n|---|---|\n")
	for _, f := range testedForms() {
		fmt.Fprintf(&b, "| %s | %s |\n", f.name, f.server)
	}
	b.WriteString(checksTable(t, marks))
	b.WriteString(offeredTable(t))
	b.WriteString("\n## How soon access is gone\n\nFrom the return of Unbind until an open connection, which is asked at once and again and again, fails. 5 s are allowed.\n\n| driver | median | worst | n |\n|---|---:|---:|---:|\n")
	for _, f := range testedForms() {
		if s := spreadOf(found[f.name].Revoked); s != nil {
			fmt.Fprintf(&b, "| %s | %.2f ms | %.2f ms | %d |\n", f.name, s.Median, s.Worst, s.N)
		}
	}
	b.WriteString("\n## What the verbs cost\n\nMeans, beside the server's own command that does the same over the same connection.\n\n| driver | verb | takes | bare command | takes | ratio | note |\n|---|---|---:|---|---:|---:|---|\n")
	for _, driver := range []string{"postgres", "postgres, dedicated", "mysql", "redis, own", "rabbitmq", "nats, embedded", "s3"} {
		for _, one := range recorded(t, dir, driver, "timings").Timings {
			b.WriteString(timingRow(driver, one))
		}
	}
	return b.String() + untested
}

func timingRow(driver string, one providertest.Timing) string {
	round := func(d time.Duration) string {
		if d == 0 {
			return ""
		}
		return d.Round(10 * time.Microsecond).String()
	}
	ratio := ""
	if one.Base > 0 {
		ratio = fmt.Sprintf("%.1f", float64(one.Mean)/float64(one.Base))
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s |\n", driver, one.Verb, round(one.Mean), one.Bare, round(one.Base), ratio, one.Note)
}

func checksTable(t *testing.T, marks []providertest.Record) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n## Checks\n\n| check |")
	for _, r := range marks {
		fmt.Fprintf(&b, " %s |", r.Column)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(marks)) + "\n")
	for _, c := range providertest.Checks() {
		fmt.Fprintf(&b, "| `%s` %s |", c.Name, c.What)
		for _, r := range marks {
			cell := "not in this run"
			for _, m := range r.Marks {
				switch {
				case m.Name != c.Name:
				case m.NotOffered != "":
					cell = "not offered"
				case m.Passed:
					cell = "passed"
				default:
					cell = "failed"
				}
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// offeredTable is what the drivers say themselves: the limits and metrics of their plans. Who holds a limit is in limitKeepers.
func offeredTable(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("\n## Held, watched, metered\n\nHeld is enforced by the server at once; watched is looked at every minute: notice, then the right to write or the logins go.\n\n| driver | held | watched | metered |\n|---|---|---|---|\n")
	for _, name := range slices.Sorted(maps.Keys(limitKeepers())) {
		settings, ok := drivers()[name]().(offerer)
		if !ok {
			continue
		}
		var metered []string
		for _, m := range settings.offerings()[0].Plans[0].Metrics {
			metered = append(metered, m.Name)
		}
		k := limitKeepers()[name]
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", name, k[0], k[1], strings.Join(metered, ", "))
	}
	return b.String()
}

// limitKeepers are what the server holds and what the market watches, by driver, as the READMEs have it.
func limitKeepers() map[string][2]string {
	return map[string][2]string{
		"postgres": {"connections; of a dedicated server also memory, by the settings that its size gives it and by address space", "size"},
		"mysql":    {"connections of one binding", "size, connections of all bindings together"},
		"redis":    {"memory, connections (own); nothing (shared)", "–"},
		"rabbitmq": {"connections, queues, messages and bytes of a queue", "bytes of all messages"},
		"nats":     {"connections, subscriptions, payload, JetStream memory, storage, streams, consumers", "–"},
		"s3":       {"access to the bucket", "size, objects"},
	}
}

func recorded(t *testing.T, dir, column, what string) (r providertest.Record) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, providertest.FileOf(column, what)))
	if err == nil {
		err = json.Unmarshal(raw, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}
