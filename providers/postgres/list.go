package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/providers"
)

var _ providers.Lister = (*Driver)(nil)

// List names the database of every instance on the server, or every server.
func (d *Driver) List(ctx context.Context) ([]string, error) {
	if d.settings.Servers != nil {
		return d.settings.Servers.Names(), nil
	}
	server, err := d.way.Take(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := server.pool.Query(ctx, `SELECT datname FROM pg_database WHERE datname ~ '^db[a-z2-7]{26}$'`)
	if err != nil {
		return nil, classed(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, classed(err)
}

// NameOf gives an instance's database, or its server.
func (d *Driver) NameOf(instance string) string {
	if d.settings.Servers != nil {
		return serverName(instance)
	}
	return namesOf(instance).database
}
