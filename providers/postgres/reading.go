package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// Read gives the database's size, its connections, and the transactions it has finished. The counter's epoch is the database itself
// and the two instants at which its statistics were last thrown away: on demand, or because the server crashed, which throws those of
// the server's own away, too, all at once; that an operator reset one of these alone began nothing anew. A clean restart keeps the
// counter, and so the epoch.
func (d *Driver) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	server, err := d.serverOf(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	var size, connections, transactions int64
	var epoch string
	err = server.pool.QueryRow(ctx, `SELECT pg_database_size(d.oid), s.numbackends, s.xact_commit + s.xact_rollback,
			concat_ws('/', d.oid, extract(epoch FROM s.stats_reset), (SELECT extract(epoch FROM least(b.stats_reset, a.stats_reset)) FROM pg_stat_bgwriter b, pg_stat_archiver a))
		FROM pg_database d JOIN pg_stat_database s ON s.datid = d.oid WHERE d.datname = $1`, namesOf(i.ID).database).
		Scan(&size, &connections, &transactions, &epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, notThere()
	}
	if err != nil {
		return nil, classed(err)
	}
	return []providers.Reading{
		{Metric: "storage_bytes", Value: money.FromInt(size), Type: "gauge"},
		{Metric: "connections", Value: money.FromInt(connections), Type: "gauge"},
		{Metric: "transactions", Value: money.FromInt(transactions), Type: "counter", Epoch: epoch},
	}, nil
}

// Inspect tells whether the database is there, and lists its bindings, those without a connection too.
func (d *Driver) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	in := providers.Inspection{Sessions: map[string]int{}}
	err := d.locked(ctx, i.ID, func(s session) (err error) {
		if in.Exists, err = s.made(ctx); err != nil {
			return err
		}
		members, err := s.members(ctx)
		for _, m := range members {
			if m.role != s.copier {
				in.Sessions[m.binding] = m.sessions
			}
		}
		return err
	})
	return in, ignoreGone(err)
}

// Probe asks the server for something small; of servers of one's own, that their folder can be used is all that is common to them.
func (d *Driver) Probe(ctx context.Context) error {
	if d.settings.Servers != nil {
		_, err := os.Stat(d.settings.Servers.Dir())
		return err
	}
	server, err := d.way.Take(ctx)
	if err != nil {
		return err
	}
	return classed(server.pool.Ping(ctx))
}

// Target is the address that apps are given.
func (d *Driver) Target(ctx context.Context, i providers.Instance) (latency.Target, error) {
	server, err := d.serverOf(ctx, i.ID)
	if err != nil {
		return latency.Target{}, fmt.Errorf("target: %w", err)
	}
	return latency.Target{Address: d.reached(server.pool.Config().ConnConfig).Address, Protocol: "postgresql"}, nil
}
