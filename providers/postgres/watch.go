package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/providers"
)

// Watch looks at the size, which PostgreSQL holds for no database. Connections it holds itself.
func (d *Driver) Watch(ctx context.Context, i providers.Instance) ([]providers.Excess, error) {
	allowed, limited := i.Plan.Limits["storage_bytes"]
	var list []providers.Excess
	err := d.locked(ctx, i.ID, func(s session) error {
		if there, err := s.made(ctx); err != nil || !there {
			return orNotThere(err)
		}
		var size int64
		if err := s.QueryRow(ctx, `SELECT pg_database_size($1)`, s.database).Scan(&size); err != nil {
			return err
		}
		if limited && size > allowed {
			list = append(list, providers.Excess{Limit: "storage_bytes", Allowed: allowed, Used: size})
		}
		return nil
	})
	return list, err
}

// Count counts the rows of every table, by schema and table. A table whose row security would hide rows from its owners is an error: a
// count of what is left would be wrong.
func (d *Driver) Count(ctx context.Context, i providers.Instance) (map[string]int64, error) {
	out := map[string]int64{}
	err := d.copying(ctx, i, func(login *pgx.ConnConfig) error {
		c, err := pgx.ConnectConfig(ctx, login)
		if err != nil {
			return err
		}
		defer c.Close(context.WithoutCancel(ctx))
		if _, err := c.Exec(ctx, `SET row_security = off; SET search_path = pg_catalog`); err != nil {
			return err
		}
		rows, err := c.Query(ctx, `SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`)
		if err != nil {
			return err
		}
		tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t pgx.Identifier, err error) {
			t = make(pgx.Identifier, 2)
			err = row.Scan(&t[0], &t[1])
			return t, err
		})
		for _, t := range tables {
			var n int64
			if err := c.QueryRow(ctx, `SELECT count(*) FROM ONLY `+t.Sanitize()).Scan(&n); err != nil {
				return err
			}
			out[t[0]+"."+t[1]] = n
		}
		return err
	})
	return out, classed(err)
}
