package mysql

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"time"

	driver "github.com/go-sql-driver/mysql"
)

// App is one open connection, as an app has it: what conformance is tested with. Its keys are the rows of a table that it makes for itself.
type App struct {
	DB   *sql.DB
	Conn *sql.Conn
}

// Login connects as an app does: with the credentials of a binding and nothing else, by TLS as they say.
func Login(ctx context.Context, credentials map[string]any) (*App, error) {
	text := func(part string) string { return fmt.Sprint(credentials[part]) }
	mode, _ := credentials["sslmode"].(string)
	ca, _ := credentials["ca"].(string)
	encryption, err := transport(cmp.Or(mode, "disable"), text("host"), []byte(ca))
	if err != nil {
		return nil, err
	}
	encrypt := func(c *driver.Config) { c.TLS, c.AllowFallbackToPlaintext = encryption, mode == "prefer" }
	return Dial(ctx, net.JoinHostPort(text("host"), text("port")), text("username"), text("password"), text("database"), encrypt)
}

// Dial opens exactly one connection, without trying again.
func Dial(ctx context.Context, address, user, password, database string, change ...func(*driver.Config)) (*App, error) {
	c := driver.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = user, password, "tcp", address, database
	c.Timeout, c.Logger, c.MultiStatements = 10*time.Second, &driver.NopLogger{}, true
	for _, f := range change {
		f(c)
	}
	connector, err := driver.NewConnector(c)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &App{db, conn}, nil
}

func (a *App) table(ctx context.Context) error {
	_, err := a.Conn.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS notes (`key` VARCHAR(200) PRIMARY KEY, value LONGTEXT)")
	return err
}

// Put keeps a value under a key.
func (a *App) Put(ctx context.Context, key, value string) error {
	if err := a.table(ctx); err != nil {
		return err
	}
	_, err := a.Conn.ExecContext(ctx, "INSERT INTO notes VALUES (?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)", key, value)
	return err
}

// Get gives the value under a key, "" when there is none.
func (a *App) Get(ctx context.Context, key string) (value string, err error) {
	if err := a.table(ctx); err != nil {
		return "", err
	}
	err = a.Conn.QueryRowContext(ctx, "SELECT value FROM notes WHERE `key` = ?", key).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return value, err
}

// Keys lists the keys that can be seen.
func (a *App) Keys(ctx context.Context) (list []string, err error) {
	if err := a.table(ctx); err != nil {
		return nil, err
	}
	rows, err := a.Conn.QueryContext(ctx, "SELECT `key` FROM notes")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, err
		}
		list = append(list, key)
	}
	return list, rows.Err()
}

// Close ends the connection.
func (a *App) Close() { _ = a.Conn.Close(); _ = a.DB.Close() }
