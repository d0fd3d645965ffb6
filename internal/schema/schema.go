// Package schema brings the store to the newest migration; safe from many processes at once.
package schema

import (
	"context"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
	"github.com/sutlerhq/sutler/internal/database"
)

// Up migrates under one lock of ours: goose lists what is pending before it begins, so two at once fail loudly.
func Up(ctx context.Context, d *database.DB, files fs.FS) error {
	dialect := goose.DialectSQLite3
	if !d.SQLite {
		dialect = goose.DialectPostgres
		conn, err := d.W.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err = conn.ExecContext(ctx, `SELECT pg_advisory_lock(7178, 1)`); err != nil {
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock(7178, 1)`)
	}
	p, err := goose.NewProvider(dialect, d.W, files, goose.WithDisableGlobalRegistry(true), goose.WithSlog(slog.New(slog.DiscardHandler)))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}
