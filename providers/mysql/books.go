package mysql

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"

	"github.com/sutlerhq/sutler/internal/ids"
)

// tables are the bookkeeping: what MariaDB has no place for beside a database or an account.
func tables() []string {
	const form = ` ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`
	return []string{
		`CREATE DATABASE IF NOT EXISTS sutler CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
		`CREATE TABLE IF NOT EXISTS sutler.market (id INT PRIMARY KEY, secret VARCHAR(64) NOT NULL)` + form,
		`CREATE TABLE IF NOT EXISTS sutler.instances (name VARCHAR(64) PRIMARY KEY, made BOOLEAN NOT NULL DEFAULT FALSE,
			suspended BOOLEAN NOT NULL DEFAULT FALSE, held BOOLEAN NOT NULL DEFAULT FALSE, epoch VARCHAR(64) NOT NULL, queries BIGINT UNSIGNED NOT NULL DEFAULT 0)` + form,
		`CREATE TABLE IF NOT EXISTS sutler.logins (name VARCHAR(64) PRIMARY KEY, instance VARCHAR(64) NOT NULL, binding TEXT NOT NULL,
			gone BOOLEAN NOT NULL DEFAULT FALSE, seen BIGINT UNSIGNED NOT NULL DEFAULT 0, KEY instance (instance))` + form,
		// The mark is lost when the server ends, as its counters are; beside an instance's name is the one under which its logins were last seen.
		`CREATE TABLE IF NOT EXISTS sutler.start (id INT PRIMARY KEY, mark VARCHAR(64) NOT NULL) ENGINE=MEMORY CHARACTER SET ascii`,
		`CREATE TABLE IF NOT EXISTS sutler.starts (instance VARCHAR(64) PRIMARY KEY, mark VARCHAR(64) NOT NULL)` + form,
	}
}

// books makes the bookkeeping where it is not there yet, and reads its secret.
func (s *server) books(ctx context.Context) error {
	err := s.pool.QueryRowContext(ctx, `SELECT secret FROM sutler.market WHERE id = 1 AND (SELECT COUNT(*) FROM sutler.starts) >= 0`).Scan(&s.secret)
	if err == nil {
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) && number(err) != 1146 && number(err) != 1049 {
		return err
	}
	for _, text := range tables() {
		if _, err := s.pool.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	if _, err := s.pool.ExecContext(ctx, `INSERT IGNORE INTO sutler.market VALUES (1, ?)`, rand.Text()); err != nil {
		return err
	}
	return s.pool.QueryRowContext(ctx, `SELECT secret FROM sutler.market WHERE id = 1`).Scan(&s.secret)
}

// record is what the books say of an instance.
type record struct{ made, suspended, held bool }

func (s session) record(ctx context.Context) (r record, err error) {
	err = s.QueryRowContext(ctx, `SELECT made, suspended, held FROM sutler.instances WHERE name = ?`, s.database).Scan(&r.made, &r.suspended, &r.held)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return r, err
}

// standing is the record of an instance that was made and is still on the server; else the error says that it is not.
func (s session) standing(ctx context.Context) (record, error) {
	r, err := s.record(ctx)
	if err != nil {
		return r, err
	}
	there, err := s.there(ctx)
	if err == nil && (!r.made || !there) {
		err = notThere()
	}
	return r, err
}

func (s session) there(ctx context.Context) (ok bool, err error) {
	err = s.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ?)`, s.database).Scan(&ok)
	return ok, err
}

// enter writes the instance's first line, before anything is made.
func (s session) enter(ctx context.Context) error {
	_, err := s.ExecContext(ctx, `INSERT IGNORE INTO sutler.instances (name, epoch) VALUES (?, ?)`, s.database, ids.New("epoch"))
	return err
}

// login is an account that belongs to the instance.
type login struct {
	name, binding string
	gone          bool // unbound, and kept for what it defines; or the account of restores
}

func (s session) logins(ctx context.Context) (list []login, err error) {
	rows, err := s.QueryContext(ctx, `SELECT name, binding, gone FROM sutler.logins WHERE instance = ? ORDER BY name`, s.database)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var l login
		if err := rows.Scan(&l.name, &l.binding, &l.gone); err != nil {
			return nil, err
		}
		list = append(list, l)
	}
	return list, rows.Err()
}

func names(list []login) []string {
	out := make([]string, len(list))
	for n, l := range list {
		out[n] = l.name
	}
	return out
}
