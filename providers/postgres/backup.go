package postgres

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
)

// copier is the login of an instance's copies. Its name is one of a binding's, so that Deprovision finds what a crash left of it.
func copier(instance string) string { return providers.Name("u", "copies of "+instance) }

// copying runs f on a connection of a login that has the tenant's rights and no others, made for it and removed after it: whatever a tenant
// wrote that runs on the way runs without the administrator's rights. It works while the instance is suspended.
func (s session) copying(ctx context.Context, i providers.Instance, f func(c *pgx.Conn) error) (err error) {
	role, password := copier(i.ID), rand.Text()
	verifier, err := scram(password, []byte(rand.Text()))
	if err != nil {
		return err
	}
	members, err := s.members(ctx)
	if err != nil {
		return err
	}
	if err := run(ctx, s, `CREATE ROLE %s NOLOGIN IN ROLE %s`, role, s.group); err != nil && code(err) != duplicate {
		return err
	}
	defer func() { err = errors.Join(err, s.copied(context.WithoutCancel(ctx), i, role)) }()
	for _, m := range members {
		if m.role == role {
			continue
		}
		if err := s.join(ctx, m.role); err != nil {
			return err
		}
		if err := run(ctx, s, `GRANT %s TO %s`, m.role, role); err != nil {
			return err
		}
	}
	room := s.room(i.Plan)
	if room >= 0 {
		room += 2 // an app that uses all connections must not keep its own copy from being made; nor must our first connection, which ends in its own time
	}
	err = run(ctx, s, fmt.Sprintf(`ALTER ROLE %%[1]s LOGIN PASSWORD '%s' CONNECTION LIMIT 2; GRANT CONNECT, TEMPORARY ON DATABASE %%[2]s TO %%[1]s; ALTER DATABASE %%[2]s CONNECTION LIMIT %d`, verifier, room), role, s.database)
	if err != nil {
		return err
	}
	config := s.Conn.Conn().Config().Copy()
	config.Database, config.User, config.Password = s.database, role, password
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	defer c.Close(context.WithoutCancel(ctx))
	return f(c)
}

// copied takes the login of a copy away.
func (s session) copied(ctx context.Context, i providers.Instance, role string) error {
	var oid uint32
	if err := s.QueryRow(ctx, `SELECT coalesce((SELECT oid FROM pg_roles WHERE rolname = $1), 0)`, role).Scan(&oid); err != nil || oid == 0 {
		return err
	}
	if err := run(ctx, s, fmt.Sprintf(`ALTER ROLE %%[1]s NOLOGIN; ALTER DATABASE %%[2]s CONNECTION LIMIT %d`, s.room(i.Plan)), role, s.database); err != nil {
		return err
	}
	if err := s.join(ctx, role); err != nil {
		return err
	}
	if err := s.terminate(ctx, `a.usesysid = $1`, oid); err != nil {
		return err
	}
	if err := s.handOver(ctx, role, oid); err != nil {
		return err
	}
	return s.drop(ctx, role)
}

// Backup writes the database as pg_dump -Fc does, as of one moment. It needs the program pg_dump on the market's machine.
func (d *Driver) Backup(ctx context.Context, i providers.Instance, to io.Writer) error {
	return d.piped(ctx, i, "pg_dump", nil, to, "-Fc", "--no-owner", "--no-privileges", "--no-publications", "--no-subscriptions")
}

// Restore reads such a file with pg_restore, in one transaction; what it makes belongs to the instance's group, as if an app had made it.
func (d *Driver) Restore(ctx context.Context, i providers.Instance, from io.Reader) error {
	return d.piped(ctx, i, "pg_restore", from, io.Discard, "--no-owner", "--no-privileges", "--single-transaction", "--role="+namesOf(i.ID).group, "--dbname="+namesOf(i.ID).database)
}

// piped runs one of PostgreSQL's programs as the instance's copier. The password is on no command line.
func (d *Driver) piped(ctx context.Context, i providers.Instance, name string, in io.Reader, out io.Writer, args ...string) error {
	program, err := local.Tool("postgresql", name)
	if err != nil {
		return fault.Unprocessable.Wrap(err, "The program %s is not on the market's machine.", name).WithHint("Install the Debian package postgresql-client, as new as the server or newer.")
	}
	return d.locked(ctx, i.ID, func(s session) error {
		if there, err := s.made(ctx); err != nil || !there {
			return orNotThere(err)
		}
		return s.copying(ctx, i, func(c *pgx.Conn) error {
			login := c.Config()
			if err := c.Close(ctx); err != nil { // so that the program finds room
				return err
			}
			encryption, err := d.encryption()
			if err != nil {
				return err
			}
			var told bytes.Buffer
			cmd := exec.CommandContext(ctx, program, args...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &told
			cmd.Env = append([]string{
				"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "PGHOST=" + login.Host, "PGPORT=" + strconv.Itoa(int(login.Port)), "PGUSER=" + login.User,
				"PGPASSWORD=" + login.Password, "PGDATABASE=" + login.Database, "PGCONNECT_TIMEOUT=10",
			}, append(encryption, home()...)...)
			if err := cmd.Run(); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				return fault.ProviderFailed.Wrap(fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(told.Bytes())), "The database could not be copied.")
			}
			return nil
		})
	})
}

// encryption has PostgreSQL's programs check the server as the market itself does: by what the administrator's address says.
func (d *Driver) encryption() ([]string, error) {
	dsn, err := d.settings.Admin()
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(dsn)
	if err != nil {
		return nil, fault.ProviderFailed.Errorf("The administrator's address of the PostgreSQL server is malformed.")
	}
	list := []string{"PGSSLMODE=" + cmp.Or(u.Query().Get("sslmode"), "prefer")}
	if file := u.Query().Get("sslrootcert"); file != "" {
		list = append(list, "PGSSLROOTCERT="+file)
	}
	return list, nil
}

// home passes on where the market's own certificates may be.
func home() []string {
	if dir, err := os.UserHomeDir(); err == nil {
		return []string{"HOME=" + dir}
	}
	return nil
}
