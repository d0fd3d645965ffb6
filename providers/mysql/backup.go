package mysql

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"

	driver "github.com/go-sql-driver/mysql"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
)

// Backup writes the database as mariadb-dump does: SQL, InnoDB's tables as of one moment. It needs the program mariadb-dump on the market's machine.
func (d *Driver) Backup(ctx context.Context, i providers.Instance, to io.Writer) error {
	program, err := local.Tool("mysql", "mariadb-dump")
	if err != nil {
		return fault.Unprocessable.Wrap(err, "The program mariadb-dump is not on the market's machine.").WithHint("Install the Debian package mariadb-client.")
	}
	server, err := d.way.Take(ctx)
	if err != nil {
		return err
	}
	err = d.locked(ctx, i.ID, func(s session) error { _, err := s.standing(ctx); return err })
	if err != nil {
		return err
	}
	options, err := server.options()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, program)
	file, secret, err := local.Secret(cmd, options)
	if err != nil {
		return err
	}
	defer func() { _ = secret.Close() }()
	cmd.Args = append(cmd.Args, "--defaults-file="+file, "--single-transaction", "--quick", "--skip-lock-tables", "--skip-add-locks", "--routines", "--events", "--triggers",
		"--hex-blob", "--no-tablespaces", "--skip-dump-date", "--max-allowed-packet=1G", "--default-character-set=utf8mb4", databaseOf(i.ID))
	var told bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = to, &told, []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fault.ProviderFailed.Wrap(fmt.Errorf("mariadb-dump: %w: %s", err, bytes.TrimSpace(told.Bytes())), "The database could not be copied out.")
	}
	return nil
}

// options is the file that tells a client program how to log in: the password is on no command line and in no environment.
func (s *server) options() (string, error) {
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return "", err
	}
	text := fmt.Sprintf("[client]\nprotocol=tcp\nhost=%s\nport=%s\nuser=%s\npassword=%s\n", option(host), port, option(s.user), option(s.pass))
	switch s.mode {
	case "disable":
		text += "skip-ssl\n"
	case "require", "verify-ca", "verify-full":
		text += "ssl\n"
	}
	if s.ca != "" {
		text += "ssl-ca=" + option(s.ca) + "\n"
	}
	if s.mode == "verify-full" {
		text += "ssl-verify-server-cert\n"
	}
	return text, nil
}

// option quotes a value for an option file.
func option(value string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`).Replace(value) + `"`
}

// Restore runs a dump in the instance's database with an account that has the rights of that database and no others: the stream may hold
// anything. Views, triggers, routines and events belong to that account afterwards; it stays, locked, as long as it defines any.
func (d *Driver) Restore(ctx context.Context, i providers.Instance, from io.Reader) error {
	server, err := d.way.Take(ctx)
	if err != nil {
		return err
	}
	name, password := definerOf(i.ID), rand.Text()
	err = d.locked(ctx, i.ID, func(s session) error {
		r, err := s.standing(ctx)
		if err != nil {
			return err
		}
		if err := s.admit(ctx, name, ""); err != nil {
			return err
		}
		if _, err := s.ExecContext(ctx, `UPDATE sutler.logins SET gone = TRUE WHERE name = ?`, name); err != nil {
			return err
		}
		if err := s.run(ctx, `CREATE USER IF NOT EXISTS `+account(name)+` ACCOUNT LOCK`); err != nil {
			return err
		}
		if err := s.allow(ctx, name, r.held); err != nil {
			return err
		}
		return s.run(ctx, `ALTER USER `+account(name)+` IDENTIFIED BY PASSWORD '`+stored(password)+`' ACCOUNT UNLOCK`)
	})
	if err == nil {
		err = replay(ctx, server.config(name, password, databaseOf(i.ID)), from)
	}
	after := context.WithoutCancel(ctx)
	return errors.Join(err, d.locked(after, i.ID, func(s session) error {
		if err := errors.Join(s.shut(after, name), s.end(after, name)); err != nil {
			return err
		}
		return s.sweep(after)
	}))
}

// replay runs the statements of a dump one after the other on one connection.
func replay(ctx context.Context, c *driver.Config, from io.Reader) error {
	connector, err := driver.NewConnector(c)
	if err != nil {
		return err
	}
	pool := sql.OpenDB(connector)
	defer pool.Close()
	conn, err := pool.Conn(ctx)
	if err != nil {
		return classed(err)
	}
	defer conn.Close()
	in := newScript(from)
	for n := 1; ; n++ {
		statement, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault.Invalid.Wrap(err, "The backup is damaged or cut off, or is no backup of a MySQL database (statement %d).", n)
		}
		if _, err := conn.ExecContext(ctx, adapted(statement)); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return fault.ProviderFailed.Wrap(err, "The backup's statement %d was refused.", n)
		}
	}
}
