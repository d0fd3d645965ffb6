package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/providers"
)

// App is one open connection, as an app has it: what conformance is tested with. Its keys are the rows of a table that it makes for itself.
type App struct{ Conn *pgx.Conn }

// Login connects as an app does: with the credentials of a binding and nothing else.
func Login(ctx context.Context, credentials map[string]any) (*App, error) {
	uri, _ := credentials["uri"].(string)
	config, err := pgx.ParseConfig(uri)
	if err != nil {
		return nil, errors.New("the uri is malformed") // not the error: it holds the password
	}
	roots, err := providers.Authority(credentials)
	if err != nil {
		return nil, err
	}
	if roots != nil && config.TLSConfig != nil {
		config.TLSConfig.RootCAs = roots
	}
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &App{c}, nil
}

func (a *App) table(ctx context.Context) error {
	_, err := a.Conn.Exec(ctx, `CREATE TABLE IF NOT EXISTS notes (key text PRIMARY KEY, value text)`)
	return err
}

// Put keeps a value under a key.
func (a *App) Put(ctx context.Context, key, value string) error {
	if err := a.table(ctx); err != nil {
		return err
	}
	_, err := a.Conn.Exec(ctx, `INSERT INTO notes VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = $2`, key, value)
	return err
}

// Get gives the value under a key, "" when there is none.
func (a *App) Get(ctx context.Context, key string) (value string, err error) {
	if err := a.table(ctx); err != nil {
		return "", err
	}
	err = a.Conn.QueryRow(ctx, `SELECT value FROM notes WHERE key = $1`, key).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return value, err
}

// Keys lists the keys that can be seen.
func (a *App) Keys(ctx context.Context) ([]string, error) {
	if err := a.table(ctx); err != nil {
		return nil, err
	}
	rows, err := a.Conn.Query(ctx, `SELECT key FROM notes`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Close ends the connection.
func (a *App) Close() { _ = a.Conn.Close(context.Background()) }
