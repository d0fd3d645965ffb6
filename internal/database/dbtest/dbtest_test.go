package dbtest_test

import (
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

func TestEachStoreAnswers(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		var n int
		if err := db.From(t.Context()).Raw("SELECT count(*) FROM tasks").Scan(&n).Error; err != nil || n != 0 {
			t.Fatal(n, err)
		}
	})
}
