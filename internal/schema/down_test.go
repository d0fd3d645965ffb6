package schema_test

import (
	"context"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/schema"
	"github.com/sutlerhq/sutler/migrations"
)

// rows are what the store holds while its migrations are taken back: some of them only fit the newer schema.
func rows() []string {
	binding := `INSERT INTO bindings (id, instance, org, project, app, alias, state, predecessor, successor, created_at) VALUES `
	return []string{
		`INSERT INTO instances (id, name, org, project, offering, offering_id, plan, plan_id, kind, provider, region, state, created_at, maintenance)
			VALUES ('i1', 'db', 'o', 'p', 'pg', 'pg1', 'small', 's1', 'postgresql', 'x', 'eu', 'ready', 1, '2.0.0')`,
		binding + `('b1', 'i1', 'o', 'p', 'a', 'DATABASE', 'expiring', '', 'b2', 1)`, // one alias twice: the first is being replaced
		binding + `('b2', 'i1', 'o', 'p', 'a', 'DATABASE', 'ready', 'b1', '', 2)`,
		`INSERT INTO operations (id, instance, binding, verb, state, started_at, plan, former) VALUES ('op1', 'i1', '', 'update', 'succeeded', 1, 's2', 's1')`,
	}
}

// TestEveryMigrationGoesBackAndForth takes each migration back, from the newest on, with rows in the store: afterwards it goes forth again and
// the schema is what it was before.
func TestEveryMigrationGoesBackAndForth(t *testing.T) {
	both(t, func(t *testing.T, dsn string) {
		db := open(t, dsn)
		if err := schema.Up(t.Context(), db, migrations.FS); err != nil {
			t.Fatal(err)
		}
		for _, q := range rows() {
			if err := db.Tx(t.Context(), func(ctx context.Context) error { return db.From(ctx).Exec(q).Error }); err != nil {
				t.Fatal(q, err)
			}
		}
		p := provider(t, db)
		files, err := fs.Glob(migrations.FS, "*.sql")
		if err != nil || len(files) < 15 {
			t.Fatal(files, err)
		}
		versions := []int64{}
		for _, s := range p.ListSources() {
			versions = append(versions, s.Version)
		}
		slices.Sort(versions)
		slices.Reverse(versions)
		for _, v := range versions {
			before := columns(t, db)
			for _, up := range []bool{false, true, false} {
				if _, err := p.ApplyVersion(t.Context(), v, up); err != nil {
					t.Fatalf("%05d up=%t: %v", v, up, err)
				}
				if now := columns(t, db); up && now != before {
					t.Errorf("%05d there and back:\n%s\nwas\n%s", v, now, before)
				} else if !up && now == before {
					t.Errorf("%05d taken back changes nothing", v)
				}
			}
		}
		if left := columns(t, db); strings.Contains(left, "instances") {
			t.Error("left behind:", left)
		}
		if err := schema.Up(t.Context(), db, migrations.FS); err != nil {
			t.Error("from nothing again:", err)
		}
	})
}

func provider(t *testing.T, db *database.DB) *goose.Provider {
	t.Helper()
	dialect := goose.DialectPostgres
	if db.SQLite {
		dialect = goose.DialectSQLite3
	}
	p, err := goose.NewProvider(dialect, db.W, migrations.FS, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// columns lists every column and index, in an order that does not tell which was made first.
func columns(t *testing.T, db *database.DB) string {
	t.Helper()
	query := `SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(column_default, '') AS x FROM information_schema.columns WHERE table_schema = current_schema()
		UNION SELECT indexdef FROM pg_indexes WHERE schemaname = current_schema() ORDER BY x`
	if db.SQLite {
		query = `SELECT m.name || '.' || c.name || ' ' || c.type || ' ' || c."notnull" || ' ' || coalesce(c.dflt_value, '') AS x FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table'
			UNION SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY x`
	}
	result, err := db.W.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer result.Close()
	var all []string
	for result.Next() {
		var line string
		if err := result.Scan(&line); err != nil {
			t.Fatal(err)
		}
		all = append(all, line)
	}
	if err := result.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, "\n")
}
