package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/ids"
)

// pgbench finds the program; "" where it is not installed.
func pgbench() string {
	if path, err := exec.LookPath("pgbench"); err == nil {
		return path
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pgbench")
	if len(found) == 0 {
		return ""
	}
	return found[len(found)-1]
}

// scriptOf writes the rows that one accepted provision left in the store as a script for pgbench: the same inserts in one transaction, with ids of
// their own each time.
func (r *speedRig) scriptOf(db *sql.DB) string {
	r.t.Helper()
	platformID := ids.New("model")
	if status := r.order(platformID, "async"); status != 202 {
		r.t.Fatal(status)
	}
	one := func(query string, args ...any) string {
		var v string
		r.ok(db.QueryRowContext(r.t.Context(), query, args...).Scan(&v))
		return v
	}
	instance := one(`SELECT id FROM instances WHERE platform_instance = $1`, platformID)
	operation := one(`SELECT operation FROM instances WHERE id = $1`, instance)
	name := one(`SELECT name FROM instances WHERE id = $1`, instance)
	script := "\\set r random(1, 9000000000000000)\nBEGIN;\n"
	for _, row := range []struct{ table, where, arg string }{
		{"instances", "id = $1", instance},
		{"operations", "id = $1", operation},
		{"tasks", "key LIKE $1", "%" + instance + "%"},
		{"audit_rows", "object = $1", "instance/" + instance},
	} {
		text := one(`SELECT row_to_json(t)::text FROM `+row.table+` t WHERE `+row.where, row.arg)
		script += insert(r.t, row.table, text, instance, operation, name, platformID)
	}
	return script + "END;\n"
}

// insert is a statement for one row, in which the texts that have to be unique are continued by a number of pgbench's.
func insert(t testing.TB, table, row string, unique ...string) string {
	t.Helper()
	var values map[string]any
	d := json.NewDecoder(strings.NewReader(row))
	d.UseNumber()
	if err := d.Decode(&values); err != nil {
		t.Fatal(err)
	}
	var names, texts []string
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		text := fmt.Sprint(values[name])
		if _, number := values[name].(json.Number); number {
			texts = append(texts, text)
			continue
		}
		text = "'" + strings.ReplaceAll(text, "'", "''") + "'"
		for _, u := range unique {
			text = strings.ReplaceAll(text, u, u+"-' || :r || '")
		}
		if table == "audit_rows" && name == "id" {
			text = strings.TrimSuffix(text, "'") + "-' || :r"
		}
		texts = append(texts, text)
	}
	return "INSERT INTO " + table + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(texts, ", ") + ");\n"
}

var transactions = regexp.MustCompile(`(?m)^tps = ([0-9.]+)`)

// runPgbench gives how many transactions a second it reaches with the script, as many callers and as long as ours.
func runPgbench(t testing.TB, store, script string, seconds int) float64 {
	t.Helper()
	file := filepath.Join(t.TempDir(), "insert.sql")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(store)
	if err != nil {
		t.Fatal(err)
	}
	password, _ := u.User.Password()
	cmd := exec.Command(pgbench(), "-n", "-M", "prepared", "-c", strconv.Itoa(callers), "-j", "2", "-T", strconv.Itoa(seconds), "-f", file,
		"-h", u.Hostname(), "-p", u.Port(), "-U", u.User.Username(), strings.TrimPrefix(u.Path, "/"))
	cmd.Env = append(os.Environ(), "PGPASSWORD="+password)
	out, err := cmd.CombinedOutput()
	m := transactions.FindSubmatch(out)
	if err != nil || m == nil {
		t.Fatalf("pgbench: %v: %s", err, out)
	}
	tps, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return tps
}

// fill brings the store to so many instances, each with its operation, its binding and its line in the audit trail: copies of a ready one in the same org, a thousand to a project.
func fill(t testing.TB, db *sql.DB, model string, n int) {
	t.Helper()
	var have int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM instances`).Scan(&have); err != nil {
		t.Fatal(err)
	}
	copied := func(table, where string, changed map[string]string) {
		t.Helper()
		names := columns(t, db, table)
		values := slices.Clone(names)
		for i, name := range names {
			if to, ok := changed[name]; ok {
				values[i] = to
			}
		}
		query := fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM (SELECT * FROM %s WHERE %s) m, generate_series($2::bigint, $3::bigint) g`,
			table, strings.Join(names, ", "), strings.Join(values, ", "), table, where)
		if _, err := db.ExecContext(t.Context(), query, model, have, n-1); err != nil {
			t.Fatal(err)
		}
	}
	if have >= n {
		return
	}
	copied("instances", "id = $1", map[string]string{
		"id": "id || '-' || g", "name": "name || '-' || g", "project": "'prj_' || g / 1000", "platform_instance": "platform_instance || '-' || g",
		"operation": "operation || '-' || g", "created_at": "created_at + g",
	})
	copied("operations", "instance = $1 AND verb = 'provision'", map[string]string{
		"id": "id || '-' || g", "instance": "instance || '-' || g", "started_at": "started_at + g",
	})
	copied("bindings", "instance = $1", map[string]string{
		"id": "id || '-' || g", "instance": "instance || '-' || g", "project": "'prj_' || g / 1000", "operation": "operation || '-' || g", "created_at": "created_at + g",
	})
	copied("audit_rows", "object = 'instance/' || $1 AND action = 'instance.provision'", map[string]string{
		"id": "id || '-' || g", "object": "object || '-' || g", "project": "'prj_' || g / 1000", "at": "at + g", "seq": "1000000000 + g",
	})
	for _, table := range []string{"instances", "operations", "bindings", "tasks", "audit_rows"} { // what a server does by itself in the course of a night
		if _, err := db.ExecContext(t.Context(), `VACUUM ANALYZE `+table); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.ExecContext(t.Context(), `CHECKPOINT`); err != nil {
		t.Fatal(err)
	}
}

func columns(t testing.TB, db *sql.DB, table string) []string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM `+table+` LIMIT 0`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil || rows.Err() != nil {
		t.Fatal(err)
	}
	return names
}
