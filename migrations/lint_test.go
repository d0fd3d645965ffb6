package migrations_test

import (
	"fmt"
	"io/fs"
	"regexp"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/migrations"
)

// before are the migrations of the time before the first release: nobody ran a program beside them.
var before = map[string]bool{"00105_audit_own.sql": true, "00302_change.sql": true}

var (
	contractOf = regexp.MustCompile(`(?m)^-- contract of (\d{5})$`)
	comment    = regexp.MustCompile(`(?m)--.*$`)
	narrows    = map[string]*regexp.Regexp{
		"it drops a table":    regexp.MustCompile(`(?i)\bDROP\s+TABLE\b`),
		"it drops a column":   regexp.MustCompile(`(?i)\bDROP\s+COLUMN\b`),
		"it renames":          regexp.MustCompile(`(?i)\bRENAME\b`),
		"it changes a column": regexp.MustCompile(`(?i)\bALTER\s+COLUMN\b`),
		"it adds a unique index to a table that is there": regexp.MustCompile(`(?i)\bCREATE\s+UNIQUE\s+INDEX\b`),
	}
	addsColumn = regexp.MustCompile(`(?is)\bADD\s+COLUMN\b[^;]*`)
	notNull    = regexp.MustCompile(`(?i)\bNOT\s+NULL\b`)
	hasDefault = regexp.MustCompile(`(?i)\bDEFAULT\b`)
	newTable   = regexp.MustCompile(`(?i)\bCREATE\s+TABLE\s+(\w+)`)
	uniqueOn   = regexp.MustCompile(`(?i)\bCREATE\s+UNIQUE\s+INDEX\s+\w+\s+ON\s+(\w+)`)
)

// problems says what in a migration would break the program of the version before it, which may still be running.
func problems(name, text string) (list []string) {
	up, _, _ := strings.Cut(text, "-- +goose Down")
	contract := contractOf.FindStringSubmatch(up)
	sql := comment.ReplaceAllString(up, "")
	made := map[string]bool{}
	for _, m := range newTable.FindAllStringSubmatch(sql, -1) {
		made[m[1]] = true
	}
	for what, pattern := range narrows {
		if pattern == narrows["it adds a unique index to a table that is there"] {
			for _, m := range uniqueOn.FindAllStringSubmatch(sql, -1) {
				if !made[m[1]] {
					list = append(list, what)
				}
			}
		} else if pattern.MatchString(sql) {
			list = append(list, what)
		}
	}
	for _, column := range addsColumn.FindAllString(sql, -1) {
		if notNull.MatchString(column) && !hasDefault.MatchString(column) {
			list = append(list, "it adds a column that is NOT NULL and has no default")
		}
	}
	enters := strings.Contains(sql, fmt.Sprintf("INSERT INTO contracts (version) VALUES (%s)", strings.TrimLeft(name[:5], "0")))
	switch {
	case contract == nil && enters:
		return append(list, "it enters itself as a contract and does not say of which migration")
	case contract == nil:
		return list
	case contract[1] >= name[:5] && contract[1][:3] == name[:3]:
		return []string{"it is the contract of a migration that does not come before it"}
	case !enters:
		return []string{"it is a contract and does not enter itself into contracts"}
	}
	return nil
}

func TestMigrationsWidenFirst(t *testing.T) {
	names, err := fs.Glob(migrations.FS, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		text, err := fs.ReadFile(migrations.FS, name)
		if err != nil {
			t.Fatal(err)
		}
		if before[name] {
			continue
		}
		for _, p := range problems(name, string(text)) {
			t.Errorf("%s: %s. Widen first, and narrow in a later release: docs/decisions/0002-schema-changes.md", name, p)
		}
	}
}

func TestTheLintSeesWhatNarrows(t *testing.T) {
	for text, want := range map[string]int{
		"CREATE TABLE t (a BIGINT NOT NULL); CREATE UNIQUE INDEX i ON t (a);":                0,
		"ALTER TABLE t ADD COLUMN a TEXT NOT NULL DEFAULT '';":                               0,
		"ALTER TABLE t ADD COLUMN a TEXT;":                                                   0,
		"ALTER TABLE t ADD COLUMN a TEXT NOT NULL;":                                          1,
		"ALTER TABLE t DROP COLUMN a;":                                                       1,
		"DROP TABLE t;":                                                                      1,
		"ALTER TABLE t RENAME COLUMN a TO b;":                                                1,
		"ALTER TABLE t RENAME TO u;":                                                         1,
		"CREATE UNIQUE INDEX i ON t (a);":                                                    1,
		"-- DROP TABLE t\nCREATE INDEX i ON t (a);":                                          0,
		"-- contract of 00301\nDROP TABLE t;":                                                1,
		"-- contract of 00301\nINSERT INTO contracts (version) VALUES (305);\nDROP TABLE t;": 0,
		"-- contract of 00306\nINSERT INTO contracts (version) VALUES (305);\nDROP TABLE t;": 1,
		"INSERT INTO contracts (version) VALUES (305);":                                      1,
		"CREATE TABLE t (a BIGINT);\n-- +goose Down\nDROP TABLE t;":                          0,
	} {
		if got := problems("00305_x.sql", text); len(got) != want {
			t.Errorf("%q: %q, want %d", text, got, want)
		}
	}
}
