// Package schema brings the store to the newest migration; safe from many processes at once.
//
// It owns when and under which lock migrations run, and refuses a store that a newer Sutler has written. The migrations themselves are in migrations/.
package schema

import (
	"context"
	"database/sql"
	"io/fs"
	"log/slog"
	"strings"

	"github.com/pressly/goose/v3"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Up migrates under one lock of ours: goose lists what is pending before it begins, so two at once fail loudly. A store that a newer Sutler has
// only widened is served as it is: two versions stand side by side while a market is upgraded. One that it has also narrowed (docs/decisions/0002-schema-changes.md)
// is refused with fault.Conflict and left alone.
func Up(ctx context.Context, d *database.DB, files fs.FS) error {
	unlock, err := lock(ctx, d)
	if err != nil {
		return fault.Unavailable.Wrap(err, "The store could not be locked for its migration.")
	}
	defer unlock()
	kept, err := newRecord(d)
	if err != nil {
		return fault.Internal.Wrap(err, "The migrations cannot be read.")
	}
	// Numbers are given by room, so a new one may be lower than the newest that was applied.
	p, err := goose.NewProvider(goose.DialectCustom, d.W, files, goose.WithStore(kept), goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return fault.Internal.Wrap(err, "The migrations cannot be read.")
	}
	if err = refuseNewer(ctx, d, p); err != nil {
		return err
	}
	if _, err = p.Up(ctx); err != nil {
		return fault.Internal.Wrap(err, "The store could not be migrated.").WithHint("The migrations that were finished stay; start again when the cause is mended.")
	}
	return nil
}

// lock keeps other processes away. An SQLite store belongs to one process anyway.
func lock(ctx context.Context, d *database.DB) (unlock func(), err error) {
	if d.SQLite {
		return func() {}, nil
	}
	conn, err := d.W.Conn(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = conn.ExecContext(ctx, `SELECT pg_advisory_lock(7178, 1)`); err != nil {
		_ = conn.Close() // the first error tells more
		return nil, err
	}
	return func() {
		_, _ = conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(7178, 1)`) // a dead connection has let go already
		_ = conn.Close()
	}, nil
}

// contracts is the table in which a migration that narrows the schema enters its own number.
const contracts = `SELECT version FROM contracts`

// refuseNewer refuses a store that holds a contract which this program does not know. A store from before the table of contracts was there
// is older than that.
func refuseNewer(ctx context.Context, d *database.DB, p *goose.Provider) error {
	known := map[int64]bool{}
	for _, s := range p.ListSources() {
		known[s.Version] = true
	}
	narrowed, err := numbers(ctx, d, contracts)
	if err != nil {
		return err
	}
	for _, v := range narrowed {
		if !known[v] {
			return fault.Conflict.Errorf("The store was written by a newer Sutler: its migration %05d took away what this one uses.", v).
				WithHint("Use the newer Sutler again, or restore a backup from before its migration.")
		}
	}
	return nil
}

// Version gives the highest migration that the store holds; 0 when it is empty.
func Version(ctx context.Context, d *database.DB) (int64, error) {
	applied, err := versions(ctx, d)
	var newest int64
	for _, v := range applied {
		newest = max(newest, v)
	}
	return newest, err
}

func versions(ctx context.Context, d *database.DB) ([]int64, error) {
	return numbers(ctx, d, `SELECT DISTINCT version_id FROM goose_db_version WHERE version_id > 0`)
}

func numbers(ctx context.Context, d *database.DB, query string) ([]int64, error) {
	rows, err := d.R.QueryContext(ctx, query)
	if err != nil {
		if noTable(err) {
			return nil, nil
		}
		return nil, fault.Unavailable.Wrap(err, "The store's version could not be read.")
	}
	return collect(rows)
}

// noTable tells that nothing was migrated yet, in the words of either store.
func noTable(err error) bool {
	text := err.Error()
	return strings.Contains(text, "no such table") || strings.Contains(text, "SQLSTATE 42P01")
}

func collect(rows *sql.Rows) (out []int64, err error) {
	defer rows.Close()
	for rows.Next() {
		var v int64
		if err = rows.Scan(&v); err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}
