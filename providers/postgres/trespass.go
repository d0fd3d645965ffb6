package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Trespass tries the database of theirs and the server's own with the login of mine, and what can be done from inside one's own database. It
// names the first way in, "" when there is none. What it made where a way was open it takes back.
func Trespass(ctx context.Context, mine, theirs map[string]any) (way string, err error) {
	for _, place := range []map[string]any{theirs, {"database": "postgres"}, {"database": "template1"}, {"host": theirs["host"], "port": theirs["port"], "database": "postgres"}} {
		there, name, err := elsewhere(mine, place)
		if err != nil {
			return "", err
		}
		if name == fmt.Sprint(mine["host"], ":", mine["port"], "/", mine["database"]) {
			continue // that is one's own
		}
		if a, err := Login(ctx, there); err == nil {
			a.Close()
			return "the database " + name, nil
		}
	}
	a, err := Login(ctx, mine)
	if err != nil {
		return "", err
	}
	defer a.Close()
	for _, try := range attempts(mine, theirs) {
		if _, err := a.Conn.Exec(ctx, try.sql); err != nil || try.void(ctx, a.Conn, mine) {
			continue
		}
		if try.undo != "" {
			_, _ = a.Conn.Exec(ctx, try.undo) // it is told of as a way in, whatever becomes of it
		}
		return try.sql, nil
	}
	var seen int
	err = a.Conn.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND query NOT IN ('', '<insufficient privilege>')`, theirs["username"]).Scan(&seen)
	if err == nil && seen > 0 {
		return "their queries' text in pg_stat_activity", nil
	}
	return "", err
}

// elsewhere is one's own login at another place: a server, a database, or both.
func elsewhere(mine, place map[string]any) (credentials map[string]any, name string, err error) {
	u, err := url.Parse(fmt.Sprint(mine["uri"]))
	if err != nil {
		return nil, "", errors.New("the uri is malformed")
	}
	there := maps.Clone(mine)
	for _, part := range []string{"host", "port", "database"} {
		if place[part] != nil {
			there[part] = place[part]
		}
	}
	u.Host, u.Path = fmt.Sprint(there["host"], ":", there["port"]), "/"+fmt.Sprint(there["database"])
	there["uri"] = u.String()
	return there, u.Host + u.Path, nil
}

// attempt is a statement that must be refused, and what takes it back where it was not.
type attempt struct{ sql, undo string }

func attempts(mine, theirs map[string]any) []attempt {
	own, user, more := pgx.Identifier{fmt.Sprint(mine["database"])}.Sanitize(), pgx.Identifier{fmt.Sprint(mine["username"])}.Sanitize(), pgx.Identifier{"more_" + fmt.Sprint(mine["database"])}.Sanitize()
	return []attempt{
		{sql: "SET ROLE " + pgx.Identifier{fmt.Sprint(theirs["username"])}.Sanitize(), undo: "RESET ROLE"},
		{sql: "ALTER DATABASE " + own + " CONNECTION LIMIT 1000"},
		{sql: "GRANT CONNECT ON DATABASE " + own + " TO PUBLIC"},
		{sql: "ALTER ROLE " + user + " CONNECTION LIMIT 1000"},
		{sql: "CREATE ROLE " + more, undo: "DROP ROLE " + more},
		{sql: "CREATE DATABASE " + more, undo: "DROP DATABASE " + more},
		{sql: "CREATE EXTENSION dblink"},
		{sql: "COPY (SELECT 1) TO PROGRAM 'true'"},
		{sql: "SELECT pg_read_file('/etc/passwd')"},
		{sql: "SELECT pg_stat_reset()"},
	}
}

// void tells whether a statement that gave no error did nothing: of a GRANT that grants nothing PostgreSQL only warns.
func (a attempt) void(ctx context.Context, c *pgx.Conn, mine map[string]any) bool {
	if !strings.HasPrefix(a.sql, "GRANT") {
		return false
	}
	var open bool
	err := c.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database, aclexplode(datacl) a WHERE datname = $1 AND a.grantee = 0)`, mine["database"]).Scan(&open)
	return err == nil && !open
}

// Cling owns objects under the login's own name, in two schemas, grants on them, and changes its password and settings.
func Cling(ctx context.Context, a *App) error {
	_, err := a.Conn.Exec(ctx, `SET ROLE NONE; DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD ''changed''; ALTER ROLE %I SET statement_timeout = 0', session_user, session_user); END $$;`)
	if err != nil {
		return err
	}
	_, err = a.Conn.Exec(ctx, `CREATE SCHEMA "mine'""x"; CREATE TABLE "mine'""x".t (a serial PRIMARY KEY); CREATE VIEW "mine'""x".v AS SELECT * FROM "mine'""x".t;
		CREATE FUNCTION "mine'""x".f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT SELECT ON "mine'""x".t TO PUBLIC; SELECT lo_create(0); CREATE TEMP TABLE tmp (a int);
		ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC`)
	return err
}
