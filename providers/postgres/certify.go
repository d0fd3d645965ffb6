package postgres

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"strings"

	"github.com/jackc/pgx/v5"
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
	if ca, _ := credentials["ca"].(string); ca != "" && config.TLSConfig != nil {
		config.TLSConfig.RootCAs = x509.NewCertPool()
		config.TLSConfig.RootCAs.AppendCertsFromPEM([]byte(ca))
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

// Trespass tries the database of theirs with the login of mine; nil when it got in. It changes nothing.
func Trespass(ctx context.Context, mine, theirs map[string]any) error {
	uri, _ := mine["uri"].(string)
	own, _ := mine["database"].(string)
	other, _ := theirs["database"].(string)
	there := maps.Clone(mine) // its authority too, else the attempt fails for another reason
	there["uri"] = strings.Replace(uri, "/"+own, "/"+other, 1)
	a, err := Login(ctx, there)
	if err == nil {
		a.Close()
	}
	return err
}
