package mysql

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// counted are the commands of an account since the server's start or since somebody flushed the counters.
const counted = `u.SELECT_COMMANDS + u.UPDATE_COMMANDS + u.OTHER_COMMANDS`

// tally adds what the instance's accounts have done since it was last looked at to the instance's own count. The server's counters begin
// again from zero when it starts again or when they are flushed, and go by account; the count in the books does neither, so it never runs
// backwards and loses nothing when a binding goes. What happened between the last look and a restart is lost, in the tenant's favour.
func (s session) tally(ctx context.Context) error {
	tx, err := s.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	again, err := startedAgain(ctx, tx, s.database)
	if err != nil {
		return err
	}
	seen, err := seenNow(ctx, tx, s.database)
	if err != nil {
		return err
	}
	var more uint64
	for name, c := range seen {
		if c.now == c.before && !again {
			continue
		}
		if c.now > c.before && !again {
			more += c.now - c.before
		} else {
			more += c.now // it began again
		}
		if _, err := tx.ExecContext(ctx, `UPDATE sutler.logins SET seen = ? WHERE name = ?`, c.now, name); err != nil {
			return err
		}
	}
	if more > 0 {
		if _, err := tx.ExecContext(ctx, `UPDATE sutler.instances SET queries = queries + ? WHERE name = ?`, more, s.database); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// startedAgain tells whether the server has been started again since it was last asked about the instance. Counters that are larger than
// before tell nothing of it: they may have passed in one hour what they were.
func startedAgain(ctx context.Context, tx *sql.Tx, database string) (bool, error) {
	var now, before string
	err := tx.QueryRowContext(ctx, `SELECT mark FROM sutler.start WHERE id = 1`).Scan(&now)
	if errors.Is(err, sql.ErrNoRows) {
		if _, err = tx.ExecContext(ctx, `INSERT IGNORE INTO sutler.start VALUES (1, ?)`, rand.Text()); err != nil {
			return false, err
		}
		err = tx.QueryRowContext(ctx, `SELECT mark FROM sutler.start WHERE id = 1`).Scan(&now)
	}
	if err != nil {
		return false, err
	}
	err = tx.QueryRowContext(ctx, `SELECT mark FROM sutler.starts WHERE instance = ?`, database).Scan(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) || now == before {
		return false, err
	}
	_, err = tx.ExecContext(ctx, `REPLACE INTO sutler.starts VALUES (?, ?)`, database, now)
	return before != "", err
}

type count struct{ before, now uint64 }

func seenNow(ctx context.Context, tx *sql.Tx, database string) (map[string]count, error) {
	rows, err := tx.QueryContext(ctx, `SELECT l.name, l.seen, COALESCE((SELECT `+counted+` FROM information_schema.USER_STATISTICS u WHERE u.USER = l.name), 0)
		FROM sutler.logins l WHERE l.instance = ?`, database)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]count{}
	for rows.Next() {
		var name string
		var c count
		if err := rows.Scan(&name, &c.before, &c.now); err != nil {
			return nil, err
		}
		out[name] = c
	}
	return out, rows.Err()
}

// size is what the instance's tables take on disk without the free space inside their files, which only the instance itself can use
// again. The size of InnoDB's files is exact; what TABLES says of their contents is an estimate that may be hours old.
func (s session) size(ctx context.Context) (n int64, err error) {
	err = s.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(GREATEST(CAST(COALESCE(f.FILE_SIZE, t.DATA_LENGTH + t.INDEX_LENGTH, 0) AS SIGNED) - CAST(COALESCE(t.DATA_FREE, 0) AS SIGNED), 0)), 0) AS SIGNED)
		FROM information_schema.TABLES t
		LEFT JOIN (SELECT SUBSTRING_INDEX(NAME, '#P#', 1) AS NAME, SUM(FILE_SIZE) AS FILE_SIZE FROM information_schema.INNODB_SYS_TABLESPACES
			WHERE NAME LIKE ? GROUP BY 1) f ON f.NAME = CONCAT(t.TABLE_SCHEMA, '/', t.TABLE_NAME) AND t.ENGINE = 'InnoDB'
		WHERE t.TABLE_SCHEMA = ? AND t.TABLE_TYPE <> 'VIEW'`, s.database+"/%", s.database).Scan(&n)
	return n, err
}

func (s session) open(ctx context.Context) (n int64, err error) {
	err = s.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.PROCESSLIST p JOIN sutler.logins l ON l.name = p.USER WHERE l.instance = ?`, s.database).Scan(&n)
	return n, err
}

// Read gives the database's size, its connections, and the queries of all its bindings, those that are gone too. The counter's epoch is
// the instance's: it has one for its whole life.
func (d *Driver) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	var size, sessions, queries int64
	var epoch string
	err := d.locked(ctx, i.ID, func(s session) (err error) {
		if _, err = s.standing(ctx); err != nil {
			return err
		}
		if err = s.tally(ctx); err != nil {
			return err
		}
		if size, err = s.size(ctx); err != nil {
			return err
		}
		if sessions, err = s.open(ctx); err != nil {
			return err
		}
		return s.QueryRowContext(ctx, `SELECT queries, epoch FROM sutler.instances WHERE name = ?`, s.database).Scan(&queries, &epoch)
	})
	if err != nil {
		return nil, err
	}
	return []providers.Reading{
		{Metric: "storage_bytes", Value: money.FromInt(size), Type: "gauge"},
		{Metric: "connections", Value: money.FromInt(sessions), Type: "gauge"},
		{Metric: "queries", Value: money.FromInt(queries), Type: "counter", Epoch: epoch},
	}, nil
}

// Inspect tells whether the database is there, and lists its bindings, those without a connection too.
func (d *Driver) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	in := providers.Inspection{Sessions: map[string]int{}}
	err := d.locked(ctx, i.ID, func(s session) error {
		r, err := s.record(ctx)
		if err != nil {
			return err
		}
		there, err := s.there(ctx)
		if err != nil {
			return err
		}
		in.Exists = r.made && there
		list, err := s.logins(ctx)
		if err != nil {
			return err
		}
		for _, l := range list {
			if l.gone {
				continue
			}
			var n int
			if err := s.QueryRowContext(ctx, `SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = ?`, l.name).Scan(&n); err != nil {
				return err
			}
			in.Sessions[l.binding] = n
		}
		return nil
	})
	return in, err
}

// Probe asks the server for something small, and puts its settings right when a restart forgot them.
func (d *Driver) Probe(ctx context.Context) error {
	server, err := d.way.Take(ctx)
	if err != nil {
		return err
	}
	return classed(settle(ctx, server.pool))
}

// Target is the address that apps are given.
func (d *Driver) Target(ctx context.Context, _ providers.Instance) (latency.Target, error) {
	network, err := d.settings.Networks.Of(nil)
	if err != nil {
		return latency.Target{}, err
	}
	if network.Address != "" {
		return latency.Target{Address: network.Address, Protocol: "mysql"}, nil
	}
	server, err := d.way.Take(ctx)
	if err != nil {
		return latency.Target{}, err
	}
	return latency.Target{Address: cmp.Or(network.Address, server.address), Protocol: "mysql"}, nil
}
