package mysql

import (
	"context"

	"github.com/sutlerhq/sutler/providers"
)

var _ providers.Lister = (*Driver)(nil)

// List names the database of every instance that the server or the books know: one of the two may be half made, or left.
func (d *Driver) List(ctx context.Context) (names []string, err error) {
	server, err := d.way.Take(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := server.pool.QueryContext(ctx, `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME REGEXP '^db[a-z2-7]{26}$'
		UNION SELECT name FROM sutler.instances ORDER BY 1`)
	if err != nil {
		return nil, classed(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, classed(err)
		}
		names = append(names, name)
	}
	return names, classed(rows.Err())
}

// NameOf gives an instance's database.
func (d *Driver) NameOf(instance string) string { return databaseOf(instance) }
