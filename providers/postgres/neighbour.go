package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
)

// Every tenant can read every role's name, and may name it: grant it something in a database of its own, or write it into a policy there. None of
// that may keep the role from going.

// logins is what the names of bindings' roles look like.
const logins = `^u[a-z2-7]{26}$`

// busy is the server's code for a lock that was not to be had in time.
const busy = "55P03"

// drop removes a role that owns nothing in the instance's database any more.
func (s session) drop(ctx context.Context, role string) error {
	if err := s.join(ctx, role); err != nil {
		return err
	}
	if err := s.disown(ctx, role); err != nil {
		return err
	}
	// Whoever has just named the role holds a lock on it to the end of his transaction. An app of the same instance is waited for, by trying again.
	return s.insist(func() error {
		return run(ctx, s, `SET LOCAL lock_timeout = '2s'; DROP OWNED BY %[1]s; DROP ROLE %[1]s`, role)
	}, func() (bool, error) {
		return s.clear(ctx, `a.usename ~ '`+logins+`' AND a.datname <> '`+s.database+`' AND a.pid IN
			(SELECT pid FROM pg_locks WHERE locktype = 'object' AND classid = 'pg_authid'::regclass AND granted AND objid = (SELECT oid FROM pg_roles WHERE rolname = $1))`, role)
	})
}

// disown removes the role from the databases of others, with what it owns there: nobody but their own tenants let it in.
func (s session) disown(ctx context.Context, role string) error {
	rows, err := s.Query(ctx, `SELECT datname FROM pg_database WHERE datname NOT IN ($2, current_database()) AND datallowconn AND oid IN
		(SELECT dbid FROM pg_shdepend WHERE refclassid = 'pg_authid'::regclass AND refobjid = (SELECT oid FROM pg_roles WHERE rolname = $1))`, role, s.database)
	if err != nil {
		return err
	}
	databases, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, database := range databases {
		err := s.insist(func() error {
			return s.inside(ctx, database, func(c *pgx.Conn) error { return run(ctx, c, `DROP OWNED BY %s CASCADE`, role) })
		}, func() (bool, error) {
			return s.clear(ctx, `a.datname = $1 AND a.usename ~ '`+logins+`' AND a.xact_start < now() - interval '1 second'`, database)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// insist does something, and as long as another tenant's lock stands in the way it clears that and does it again.
func (s session) insist(do func() error, clearTheWay func() (bool, error)) error {
	err := do()
	for range 3 {
		if code(err) != busy {
			break
		}
		if cleared, e := clearTheWay(); e != nil || !cleared {
			return errors.Join(err, e)
		}
		err = do()
	}
	return err
}

// clear ends the sessions that match, and tells whether there were any.
func (s session) clear(ctx context.Context, which, arg string) (bool, error) {
	there, err := s.exists(ctx, `SELECT EXISTS (SELECT FROM pg_stat_activity a WHERE `+which+`)`, arg)
	if err == nil && there {
		err = s.terminate(ctx, which, arg)
	}
	return there, err
}
