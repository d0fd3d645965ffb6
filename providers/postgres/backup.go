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
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
)

// copying runs f with a login that has the tenant's rights and no others, made for it and removed after it: whatever a tenant wrote that runs on the
// way runs without the administrator's rights. It works while the instance is suspended. The instance's lock is held only while the login is made and
// removed, so that a long copy keeps nobody from being unbound; copies of one instance take turns.
func (d *Driver) copying(ctx context.Context, i providers.Instance, f func(login *pgx.ConnConfig) error) (err error) {
	turn, err := d.alone(ctx, i)
	if err != nil {
		return err
	}
	defer func() { _ = turn.Close(context.WithoutCancel(ctx)) }() // which gives the turn to the next
	var login *pgx.ConnConfig
	err = d.locked(ctx, i.ID, func(s session) (err error) {
		if there, err := s.made(ctx); err != nil || !there {
			return orNotThere(err)
		}
		login, err = s.lend(ctx, i)
		return err
	})
	defer func() {
		after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err = errors.Join(err, d.locked(after, i.ID, func(s session) error { return s.copied(after, i) }))
	}()
	if err != nil {
		return err
	}
	return f(login)
}

// alone waits until no other copy of the instance is being made, by a connection of its own: those of the pool are for short calls.
func (d *Driver) alone(ctx context.Context, i providers.Instance) (*pgx.Conn, error) {
	server, err := d.serverOf(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	c, err := pgx.ConnectConfig(ctx, server.pool.Config().ConnConfig)
	if err != nil {
		return nil, classed(err)
	}
	if _, err := c.Exec(ctx, `SELECT pg_advisory_lock($1)`, lockOf("copies of "+i.ID)); err != nil {
		_ = c.Close(context.WithoutCancel(ctx))
		return nil, classed(err)
	}
	return c, nil
}

// lend makes the login of a copy.
func (s session) lend(ctx context.Context, i providers.Instance) (*pgx.ConnConfig, error) {
	role, password := s.copier, rand.Text()
	verifier, err := scram(password, []byte(rand.Text()))
	if err != nil {
		return nil, err
	}
	members, err := s.members(ctx)
	if err != nil {
		return nil, err
	}
	if err := run(ctx, s, `CREATE ROLE %s NOLOGIN IN ROLE %s`, role, s.group); err != nil && code(err) != duplicate {
		return nil, err
	}
	for _, m := range members {
		if m.role == role {
			continue
		}
		if err := s.join(ctx, m.role); err != nil {
			return nil, err
		}
		if err := run(ctx, s, `GRANT %s TO %s`, m.role, role); err != nil {
			return nil, err
		}
	}
	room := s.room(i.Plan)
	if room >= 0 {
		room += copiers // an app that uses all connections must not keep its own copy from being made
	}
	err = run(ctx, s, fmt.Sprintf(`ALTER ROLE %%[1]s LOGIN PASSWORD '%s' CONNECTION LIMIT %d; GRANT CONNECT, TEMPORARY ON DATABASE %%[2]s TO %%[1]s; ALTER DATABASE %%[2]s CONNECTION LIMIT %d`, verifier, copiers, room), role, s.database)
	login := s.Conn.Conn().Config().Copy()
	login.Database, login.User, login.Password = s.database, role, password
	return login, err
}

// copied takes the login of a copy away.
func (s session) copied(ctx context.Context, i providers.Instance) error {
	role, oid := s.copier, uint32(0)
	if err := s.QueryRow(ctx, `SELECT coalesce((SELECT oid FROM pg_roles WHERE rolname = $1), 0)`, role).Scan(&oid); err != nil || oid == 0 {
		return err
	}
	if err := run(ctx, s, `ALTER ROLE %s NOLOGIN`, role); err != nil {
		return err
	}
	var room int64
	if err := s.QueryRow(ctx, `SELECT datconnlimit FROM pg_database WHERE datname = $1`, s.database).Scan(&room); err != nil {
		return err
	}
	if own := s.room(i.Plan); room == own+copiers && own >= 0 { // else an update has put another one meanwhile
		if err := run(ctx, s, fmt.Sprintf(`ALTER DATABASE %%s CONNECTION LIMIT %d`, own), s.database); err != nil {
			return err
		}
	}
	if err := s.join(ctx, role); err != nil {
		return err
	}
	if err := s.terminate(ctx, `a.usesysid = $1`, oid); err != nil {
		return err
	}
	if err := s.handOver(ctx, role); err != nil {
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
	return d.copying(ctx, i, func(login *pgx.ConnConfig) error {
		encryption, err := d.encryption(ctx, i)
		if err != nil {
			return err
		}
		var told bytes.Buffer
		cmd := exec.CommandContext(ctx, program, args...)
		passfile, file, err := local.Secret(cmd, "*:*:*:*:"+login.Password+"\n") // rand.Text has nothing to escape; what is in a program's environment more can see
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, &told
		cmd.Env = append([]string{
			"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "PGHOST=" + login.Host, "PGPORT=" + strconv.Itoa(int(login.Port)), "PGUSER=" + login.User,
			"PGPASSFILE=" + passfile, "PGDATABASE=" + login.Database, "PGCONNECT_TIMEOUT=10",
		}, append(encryption, home()...)...)
		if err := cmd.Run(); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fault.ProviderFailed.Wrap(fmt.Errorf("%s: %w: %s", name, err, bytes.TrimSpace(told.Bytes())), "The database could not be copied.")
		}
		return nil
	})
}

// encryption has PostgreSQL's programs check the server as the market itself does: by what the administrator's address says.
func (d *Driver) encryption(ctx context.Context, i providers.Instance) ([]string, error) {
	server, err := d.serverOf(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(server.dsn)
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
