package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/providers"
)

// made is the comment on a database whose every step was done. Without it Provision goes through all steps again; with it Provision
// touches nothing, so that a call that comes late opens nothing that was closed since.
const made = "sutler: made"

const duplicate = "42710" // a role of this name is there

// Provision makes the group and the database, closes it to everybody else, and opens it to the group.
func (d *Driver) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	if err := d.start(ctx, i); err != nil {
		return providers.Progress{}, err
	}
	err := d.locked(ctx, i.ID, func(s session) error {
		if done, err := s.made(ctx); done || err != nil {
			return err
		}
		if err := run(ctx, s, `CREATE ROLE %s NOLOGIN`, s.group); err != nil && code(err) != duplicate {
			return err
		}
		if err := s.join(ctx, s.group); err != nil {
			return err
		}
		if err := run(ctx, s, `CREATE DATABASE %s TEMPLATE template0 ALLOW_CONNECTIONS false`, s.database); err != nil && code(err) != "42P04" {
			return err
		}
		limit := fmt.Sprintf("ALTER DATABASE %%s CONNECTION LIMIT %d", s.room(i.Plan))
		if err := run(ctx, s, limit, s.database); err != nil {
			return err
		}
		if err := run(ctx, s, `REVOKE ALL ON DATABASE %[1]s FROM PUBLIC; ALTER DATABASE %[1]s ALLOW_CONNECTIONS true`, s.database); err != nil {
			return err
		}
		err := s.inside(ctx, s.database, func(c *pgx.Conn) error {
			return run(ctx, c, `REVOKE ALL ON SCHEMA public FROM PUBLIC; GRANT USAGE, CREATE ON SCHEMA public TO %s`, s.group)
		})
		if err != nil {
			return err
		}
		return run(ctx, s, `GRANT CONNECT, TEMPORARY, CREATE ON DATABASE %[1]s TO %[2]s; COMMENT ON DATABASE %[1]s IS '`+made+`'`, s.database, s.group)
	})
	return providers.Progress{Done: err == nil, Note: note(err, "the database is ready")}, err
}

// room is the database's connection limit. The limit holds for an administrator who is no superuser too, so one more is for him:
// else an app that uses all of them could not be unbound.
func (s session) room(p catalog.Plan) int64 {
	n := connections(p)
	if n >= 0 && !s.super {
		n++
	}
	return n
}

func note(err error, done string) string {
	if err != nil {
		return ""
	}
	return done
}

func (s session) made(ctx context.Context) (bool, error) {
	return s.exists(ctx, `SELECT EXISTS (SELECT FROM pg_database d WHERE datname = $1 AND shobj_description(d.oid, 'pg_database') = '`+made+`')`, s.database)
}

// Deprovision shuts every login of the instance, drops the database whoever is connected, then the roles.
func (d *Driver) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	if d.settings.Servers != nil {
		err := d.removeServer(i.ID)
		return providers.Progress{Done: err == nil, Note: note(err, "the server is gone")}, err
	}
	err := d.locked(ctx, i.ID, func(s session) error {
		members, err := s.members(ctx)
		if err != nil {
			return err
		}
		for _, m := range members {
			if err := run(ctx, s, `ALTER ROLE %s NOLOGIN`, m.role); err != nil {
				return err
			}
			if err := s.join(ctx, m.role); err != nil {
				return err
			}
		}
		if err := run(ctx, s, `DROP DATABASE IF EXISTS %s WITH (FORCE)`, s.database); err != nil {
			return err
		}
		for _, m := range members {
			if err := s.drop(ctx, m.role); err != nil {
				return err
			}
		}
		there, err := s.hasRole(ctx, s.group)
		if err != nil || !there {
			return err
		}
		return s.drop(ctx, s.group)
	})
	return providers.Progress{Done: err == nil, Note: note(err, "the database is gone")}, err
}

// member is a binding's role.
type member struct {
	role, binding string
	sessions      int
}

// members lists the binding roles of the instance with their open connections.
func (s session) members(ctx context.Context) ([]member, error) {
	rows, err := s.Query(ctx, `SELECT r.rolname, coalesce(shobj_description(r.oid, 'pg_authid'), ''),
			(SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid)
		FROM pg_roles g JOIN pg_auth_members m ON m.roleid = g.oid JOIN pg_roles r ON r.oid = m.member
		WHERE g.rolname = $1 AND r.rolname <> current_user AND r.rolname ~ '`+logins+`' GROUP BY r.oid, r.rolname ORDER BY 1`, s.group)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m member, err error) {
		err = row.Scan(&m.role, &m.binding, &m.sessions)
		return m, err
	})
}

// Update puts the new plan's connection limit on the database and on its logins, all or none.
func (d *Driver) Update(ctx context.Context, old, new providers.Instance) (providers.Progress, error) {
	if err := d.refit(ctx, old, new); err != nil {
		return providers.Progress{}, err
	}
	err := d.locked(ctx, new.ID, func(s session) error {
		if there, err := s.made(ctx); err != nil || !there {
			return orNotThere(err)
		}
		members, err := s.members(ctx)
		if err != nil {
			return err
		}
		return pgx.BeginFunc(ctx, s, func(tx pgx.Tx) error {
			for _, m := range members {
				if err := run(ctx, tx, fmt.Sprintf("ALTER ROLE %%s CONNECTION LIMIT %d", connections(new.Plan)), m.role); err != nil {
					return err
				}
			}
			return run(ctx, tx, fmt.Sprintf("ALTER DATABASE %%s CONNECTION LIMIT %d", s.room(new.Plan)), s.database)
		})
	})
	return providers.Progress{Done: err == nil}, err
}

func orNotThere(err error) error {
	if err != nil {
		return err
	}
	return notThere()
}

// Suspend takes the group's way into the database and ends its sessions. The data stay.
func (d *Driver) Suspend(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.locked(ctx, i.ID, func(s session) error {
		if there, err := s.made(ctx); err != nil || !there {
			return orNotThere(err)
		}
		if err := run(ctx, s, `REVOKE CONNECT ON DATABASE %s FROM %s`, s.database, s.group); err != nil {
			return err
		}
		members, err := s.members(ctx)
		if err != nil {
			return err
		}
		for _, m := range members {
			if err := s.join(ctx, m.role); err != nil {
				return err
			}
		}
		return s.terminate(ctx, `a.datname = $1 AND a.usename NOT IN (current_user, '`+s.copier+`')`, s.database) // a copy is as of one moment, and no app's
	})
	return providers.Progress{Done: err == nil}, err
}

// Resume gives the group its way back into the database.
func (d *Driver) Resume(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.locked(ctx, i.ID, func(s session) error {
		if there, err := s.made(ctx); err != nil || !there {
			return orNotThere(err)
		}
		return run(ctx, s, `GRANT CONNECT ON DATABASE %s TO %s`, s.database, s.group)
	})
	return providers.Progress{Done: err == nil}, err
}
