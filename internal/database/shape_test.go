package database_test

import (
	"context"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

type widening struct {
	ID   string
	Size int64
}

type label string // arguments may have types of their own

// TestAnotherProcessWidensATable: statements that ran before run again, on the same connections, inside transactions and outside, whether they list
// their columns or not.
func TestAnotherProcessWidensATable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		exec := func(q string) {
			t.Helper()
			if err := db.Tx(t.Context(), func(ctx context.Context) error { return db.From(ctx).Exec(q).Error }); err != nil {
				t.Fatal(err)
			}
		}
		exec("CREATE TABLE widening (id TEXT PRIMARY KEY, size BIGINT NOT NULL)")
		exec("INSERT INTO widening (id, size) VALUES ('a', 1)")
		statements := map[string][]any{
			"SELECT * FROM widening WHERE id = ? AND size > ?":                 {label("a"), 0},
			"SELECT w.*, 1 AS one FROM widening w WHERE id = ?":                {"a"},
			"UPDATE widening SET size = size + 1 WHERE id = ? RETURNING *":     {"a"},
			"SELECT " + db.Columns(widening{}) + " FROM widening WHERE id = ?": {"a"},
		}
		all := func(ctx context.Context, outside bool) error {
			for q, args := range statements {
				if outside && q[0] == 'U' {
					continue
				}
				var w widening
				if err := db.From(ctx).Raw(q, args...).Scan(&w).Error; err != nil || w.ID != "a" || w.Size < 1 {
					t.Errorf("%s: %+v %v", q, w, err)
				}
			}
			var found []widening
			return db.From(ctx).Table("widening").Where("id = ?", label("a")).Find(&found).Error
		}
		round := func() {
			t.Helper()
			for range 20 { // every connection of the pools has them prepared
				if err := db.Tx(t.Context(), func(ctx context.Context) error { return all(ctx, false) }); err != nil {
					t.Fatal(err)
				}
				if err := all(t.Context(), true); err != nil {
					t.Fatal(err)
				}
			}
		}
		round()
		exec("ALTER TABLE widening ADD COLUMN more TEXT NOT NULL DEFAULT 'new'")
		round()
	})
}

func TestColumns(t *testing.T) {
	db := dbtest.New(t)
	if got := db.Columns([]widening{}); got != "id, size" {
		t.Error(got)
	}
}
