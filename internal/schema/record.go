package schema

import (
	"context"

	"github.com/pressly/goose/v3"
	goosedb "github.com/pressly/goose/v3/database"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/failpoint"
)

// record is where the numbers of the finished migrations are kept. Each is written in the transaction of its migration, after all its
// statements: the one place between a migration's beginning and its end where a process can be told to die.
type record struct{ goosedb.Store }

func newRecord(d *database.DB) (record, error) {
	dialect := goose.DialectPostgres
	if d.SQLite {
		dialect = goose.DialectSQLite3
	}
	s, err := goosedb.NewStore(dialect, goose.DefaultTablename)
	return record{s}, err
}

// Insert writes a number. Goose's own zero, of the table of numbers, is no migration.
func (r record) Insert(ctx context.Context, db goosedb.DBTxConn, req goosedb.InsertRequest) error {
	if req.Version > 0 {
		if err := failpoint.Hit("schema", "migration", "recording"); err != nil {
			return err
		}
	}
	return r.Store.Insert(ctx, db, req)
}
