package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/sutlerhq/sutler/internal/fault"
)

// poolSize is how many connections the market has to a server at most, besides those inside databases.
const poolSize = 8

func open(ctx context.Context, dsn string) (*server, error) {
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fault.ProviderFailed.Wrap(err, "The administrator's address of the PostgreSQL server is malformed.")
	}
	config.MaxConns, config.MaxConnIdleTime = poolSize, time.Minute
	config.ConnConfig.ConnectTimeout = 5 * time.Second
	config.ConnConfig.RuntimeParams["application_name"] = "sutler"
	config.ConnConfig.RuntimeParams["search_path"] = "pg_catalog" // nothing that a tenant made is ever called
	config.AfterConnect = durable
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, classed(err)
	}
	super, err := harden(ctx, pool)
	if err != nil {
		pool.Close()
		return nil, classed(err)
	}
	return &server{pool: pool, dsn: dsn, super: super}, nil
}

// durable has what we say done be on the disk, on a server that else writes it down a moment later: its crash must not give back what was taken away.
func durable(ctx context.Context, c *pgx.Conn) error {
	_, err := c.Exec(ctx, `SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`)
	return err
}

// harden takes PUBLIC's way into the databases that come with the server and into the administrator's own, and tells whether the
// administrator is a superuser. One who may not revoke it must have it done: tenants would meet there.
func harden(ctx context.Context, pool *pgxpool.Pool) (super bool, err error) {
	if err := pool.QueryRow(ctx, `SELECT rolsuper FROM pg_roles WHERE rolname = current_user`).Scan(&super); err != nil {
		return false, err
	}
	var prepared int
	if err := pool.QueryRow(ctx, `SELECT current_setting('max_prepared_transactions')::int`).Scan(&prepared); err != nil {
		return super, err
	}
	if prepared > 0 {
		return super, fault.ProviderFailed.Errorf("The PostgreSQL server lets transactions be prepared: a tenant's outlive its login and its connections, with all their locks.").
			WithHint("Set max_prepared_transactions = 0, which is its default, and restart the server.")
	}
	open, err := public(ctx, pool)
	for _, name := range open {
		database := pgx.Identifier{name}.Sanitize()
		_, e := pool.Exec(ctx, `GRANT CONNECT ON DATABASE `+database+` TO CURRENT_USER; REVOKE ALL ON DATABASE `+database+` FROM PUBLIC`)
		if e != nil && !concurrently(e) && code(e) != forbidden { // another process does the same just now; or see below
			err = errors.Join(err, e)
		}
	}
	if err != nil || len(open) == 0 {
		return super, err
	}
	if open, err = public(ctx, pool); err == nil && len(open) > 0 {
		names := strings.Join(open, ", ")
		err = fault.ProviderFailed.Errorf("Every login of the PostgreSQL server may enter the databases %s, where tenants would meet, and the administrator may not change that.", names).
			WithHint("As a superuser: REVOKE ALL ON DATABASE %s FROM PUBLIC; and GRANT CONNECT to whom needs it, the administrator too.", names)
	}
	return super, err
}

const forbidden = "42501"

// public lists those of the server's own databases, and the administrator's, that everybody may enter.
func public(ctx context.Context, pool *pgxpool.Pool) ([]string, error) {
	rows, err := pool.Query(ctx, `SELECT datname FROM pg_database, aclexplode(coalesce(datacl, acldefault('d', datdba))) AS a
		WHERE datname IN ('postgres', 'template1', current_database()) AND datallowconn AND a.grantee = 0 GROUP BY datname ORDER BY 1`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// session is one connection of the administrator that holds the instance's lock.
type session struct {
	*pgxpool.Conn
	names
	super bool
}

// locked runs f with the instance's lock, so that calls for one instance take turns, in this process and in others.
func (d *Driver) locked(ctx context.Context, instance string, f func(s session) error) error {
	server, err := d.serverOf(ctx, instance)
	if err != nil {
		return err
	}
	conn, err := server.pool.Acquire(ctx)
	if err != nil {
		return classed(err)
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1)`, lockOf(instance)); err != nil {
		return classed(err)
	}
	err = f(session{Conn: conn, names: namesOf(instance), super: server.super})
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, e := conn.Exec(after, `SELECT pg_advisory_unlock($1)`, lockOf(instance)); e != nil {
		_ = conn.Conn().Close(after) // the end of the connection unlocks too
	}
	return classed(err)
}

// run executes statements whose only variable parts are names, given as %s and quoted here. Several are one transaction.
func run(ctx context.Context, c interface {
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}, sql string, names ...string,
) error {
	quoted := make([]any, len(names))
	for n, name := range names {
		quoted[n] = pgx.Identifier{name}.Sanitize()
	}
	_, err := c.Exec(ctx, fmt.Sprintf(sql, quoted...))
	return err
}

// inside connects to another database of the server as the administrator and runs f there.
func (s session) inside(ctx context.Context, database string, f func(c *pgx.Conn) error) error {
	config := s.Conn.Conn().Config().Copy()
	config.Database = database
	config.RuntimeParams["lock_timeout"] = "2s" // an app's long transaction must not make its neighbours queue behind us
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	return f(c)
}

func (s session) exists(ctx context.Context, sql, name string) (ok bool, err error) {
	err = s.QueryRow(ctx, sql, name).Scan(&ok)
	return ok, err
}

func (s session) hasRole(ctx context.Context, name string) (bool, error) {
	return s.exists(ctx, `SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)`, name)
}

// join makes an administrator who is no superuser a member of a role: only members may end its sessions and hand over what it owns.
func (s session) join(ctx context.Context, role string) error {
	if s.super {
		return nil
	}
	return run(ctx, s, `GRANT %s TO CURRENT_USER`, role)
}

func code(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func concurrently(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "XX000" && strings.Contains(e.Message, "concurrently")
}

// classed tells what passes by itself from what does not, and what stands in the way of one instance (Busy) from a server that is away.
func classed(err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[*fault.Fault](err); known {
		return err
	}
	switch c := code(err); {
	case c == "57P03", c == "57P01", c == "57P02", c == "53300", strings.HasPrefix(c, "08"):
		return fault.Unavailable.Wrap(err, "The PostgreSQL server takes no connections now.")
	case c == busy:
		return fault.Busy.Wrap(err, "An app's open transaction stands in the way; it is tried again.")
	case c == "55006", c == "40001", c == "40P01", c == "2BP01", concurrently(err):
		return fault.Busy.Wrap(err, "The PostgreSQL server is busy with the same thing; it is tried again.")
	}
	if c := code(err); c == "28P01" || c == "28000" {
		return fault.ProviderFailed.Wrap(err, "The PostgreSQL server does not let the administrator in: the user or the password is wrong, or it may not come from this host.").
			WithHint("They are the provider's settings; it is tried again within a minute.")
	}
	if _, refused := errors.AsType[*pgconn.ConnectError](err); refused && code(err) == "" && !errors.Is(err, context.DeadlineExceeded) {
		return fault.Unavailable.Wrap(err, "The PostgreSQL server cannot be reached.")
	}
	return err
}
