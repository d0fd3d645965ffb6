package main

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// signPostgres writes a row and reads it back over a second connection, so that what it reads was really stored.
func signPostgres(ctx context.Context, address, entry string) (string, error) {
	c, err := pgx.Connect(ctx, address)
	if err != nil {
		return "", err
	}
	var id int64
	_, err = c.Exec(ctx, `CREATE TABLE IF NOT EXISTS guestbook (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, entry TEXT NOT NULL, at TIMESTAMPTZ NOT NULL DEFAULT now())`)
	if err == nil {
		err = c.QueryRow(ctx, `INSERT INTO guestbook (entry) VALUES ($1) RETURNING id`, entry).Scan(&id)
	}
	_ = c.Close(ctx)
	if err != nil {
		return "", err
	}
	if c, err = pgx.Connect(ctx, address); err != nil {
		return "", err
	}
	defer func() { _ = c.Close(ctx) }()
	var read string
	var all int64
	if err := c.QueryRow(ctx, `SELECT entry, (SELECT count(*) FROM guestbook) FROM guestbook WHERE id = $1`, id).Scan(&read, &all); err != nil {
		return "", err
	}
	if read != entry {
		return "", fmt.Errorf("wrote %q and read %q", entry, read)
	}
	return fmt.Sprintf("row %d says %q; %d in the book", id, read, all), nil
}
