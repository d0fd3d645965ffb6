package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"github.com/jackc/pgx/v5"
	"gorm.io/gorm/schema"
)

// A statement that says * gives whatever columns the table has now. PostgreSQL refuses to run it again as prepared when another process has widened
// the table meanwhile ("cached plan must not change result type"), and inside a transaction nothing mends that. So such a statement is
// never kept as prepared: it costs its parsing each time, which a list of columns saves (Columns).

// shapeless tells whether a statement's columns are the table's.
func shapeless(q string) bool {
	return strings.Contains(q, "* FROM") || strings.Contains(q, ".*") || strings.Contains(q, "RETURNING *")
}

// unprepared gives the arguments with which pgx does not prepare a shapeless statement. It then goes by the arguments' own types, so those are plain.
func (d *DB) unprepared(q string, args []any) []any {
	if d.SQLite || !shapeless(q) {
		return args
	}
	plain := make([]any, 1, len(args)+1)
	plain[0] = pgx.QueryExecModeExec
	for _, a := range args {
		if v, err := driver.DefaultParameterConverter.ConvertValue(a); err == nil {
			a = v
		}
		plain = append(plain, a)
	}
	return plain
}

// within is the connection behind the handle of a transaction.
type within struct {
	*sql.Tx
	d *DB
}

// QueryContext reads inside the transaction.
func (w within) QueryContext(ctx context.Context, q string, a ...any) (*sql.Rows, error) {
	rows, err := w.Tx.QueryContext(ctx, q, w.d.unprepared(q, a)...)
	return rows, classed(err, true)
}

// Columns lists the columns of a row type, or of a slice of them, in SQL: "id, name, created_at". A statement that names them works as before when
// another process adds one.
func (d *DB) Columns(row any) string {
	s, err := schema.Parse(row, &d.rows, schema.NamingStrategy{})
	if err != nil {
		return "*" // no row type: the statement itself will say so
	}
	return strings.Join(s.DBNames, ", ")
}
