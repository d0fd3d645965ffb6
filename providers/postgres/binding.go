package postgres

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Bind makes a login role in the instance's group. Called again it puts the role back to what it should be, password included.
func (d *Driver) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	password, err := providers.Password(b.Seed, "postgres password")
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.Invalid.Wrap(err, "The binding has no seed.")
	}
	verifier, err := scram(password, b.Seed)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	asked, err := d.settings.Networks.Of(b.Params)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	role, grant := roleOf(b.ID), providers.Grant{}
	err = d.locked(ctx, i.ID, func(s session) error {
		if there, err := s.made(ctx); err != nil || !there {
			return orNotThere(err)
		}
		if err := run(ctx, s, `CREATE ROLE %s NOLOGIN IN ROLE %s`, role, s.group); err != nil && code(err) != duplicate {
			return err
		}
		if err := s.join(ctx, role); err != nil {
			return err
		}
		// The verifier is base64 and the comment our own id with its quotes doubled: neither can end its literal.
		err := run(ctx, s, fmt.Sprintf(`ALTER ROLE %%[1]s LOGIN PASSWORD '%s' CONNECTION LIMIT %d; ALTER ROLE %%[1]s IN DATABASE %%[2]s SET role = %%[3]s; COMMENT ON ROLE %%[1]s IS %s`,
			verifier, connections(i.Plan), strings.ReplaceAll(literal(b.ID), "%", "%%")), role, s.database, s.group)
		if err != nil {
			return err
		}
		grant, err = grantOf(asked.Or(d.reached(s.Conn.Conn().Config())), s.database, role, password)
		grant.ExpiresAt = b.ExpiresAt
		return err
	})
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	return grant, providers.Progress{Done: true, Note: "the login is ready"}, nil
}

func literal(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	return ` E'` + strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), `'`, `''`) + `'`
}

func grantOf(n providers.Network, database, role, password string) (providers.Grant, error) {
	host, port, err := n.Place()
	if err != nil {
		return providers.Grant{}, err
	}
	uri := url.URL{Scheme: "postgres", User: url.UserPassword(role, password), Host: n.Address, Path: "/" + database, RawQuery: url.Values{"sslmode": {n.TLS}}.Encode()}
	credentials := map[string]any{
		"uri": uri.String(), "host": host, "port": port, "username": role, "password": password, "database": database, "sslmode": n.TLS,
	}
	if n.CA != "" {
		credentials["ca"] = n.CA
	}
	return providers.Grant{Credentials: credentials, Endpoints: n.Endpoints()}, nil
}

// reached is how apps reach the server that name no network: as the settings say, and what they leave open as the administrator does.
func (d *Driver) reached(c *pgx.ConnConfig) providers.Network {
	s := d.settings
	address := net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port)))
	switch {
	case s.Advertised != "" && s.Servers != nil:
		address = net.JoinHostPort(s.Advertised, strconv.Itoa(int(c.Port)))
	case s.Advertised != "":
		address = s.Advertised
	}
	usual := providers.Network{Address: address, TLS: s.SSLMode, CA: s.CA}
	return s.Networks[providers.DefaultNetwork].Or(usual)
}

// scram is what the server keeps of a password (RFC 5803): it can check the password and not tell it, so no statement and no log of
// the server ever holds one.
func scram(password string, seed []byte) (string, error) {
	const rounds = 4096
	salt, err := providers.Key(seed, "postgres salt", 16)
	if err != nil {
		return "", err
	}
	salted, err := pbkdf2.Key(sha256.New, password, salt, rounds, sha256.Size)
	if err != nil {
		return "", err
	}
	sign := func(text string) []byte {
		m := hmac.New(sha256.New, salted)
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", rounds, b64(salt), b64(stored[:]), b64(sign("Server Key"))), nil
}

// Unbind takes a role's access away for good. That the app changed its password, is connected, or owns objects does not matter.
func (d *Driver) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	role := roleOf(b.ID)
	err := d.locked(ctx, i.ID, func(s session) error {
		var oid uint32
		if err := s.QueryRow(ctx, `SELECT coalesce((SELECT oid FROM pg_roles WHERE rolname = $1), 0)`, role).Scan(&oid); err != nil || oid == 0 {
			return err
		}
		if err := run(ctx, s, `ALTER ROLE %s NOLOGIN PASSWORD NULL`, role); err != nil {
			return err
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
		// A login that had passed its check when the door was shut shows up late: once more before the role goes.
		if err := s.terminate(ctx, `a.usesysid = $1`, oid); err != nil {
			return err
		}
		return s.drop(ctx, role)
	})
	err = ignoreGone(err)
	return providers.Progress{Done: err == nil, Note: note(err, "the login is gone")}, err
}

// handOver gives what the role owns in the instance's database to the group. Elsewhere it can only be what drop takes from it.
func (s session) handOver(ctx context.Context, role string) error {
	if there, err := s.exists(ctx, `SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1 AND datallowconn)`, s.database); err != nil || !there {
		return err
	}
	there, err := s.hasRole(ctx, s.group)
	if err != nil {
		return err
	}
	if there {
		if err := s.join(ctx, s.group); err != nil {
			return err
		}
	}
	return s.inside(ctx, s.database, func(c *pgx.Conn) error {
		if !there {
			return run(ctx, c, `DROP OWNED BY %s`, role)
		}
		return run(ctx, c, `REASSIGN OWNED BY %[1]s TO %[2]s; DROP OWNED BY %[1]s`, role, s.group)
	})
}

// terminate ends the sessions that match and returns when they have ended.
func (s session) terminate(ctx context.Context, which string, arg any) error {
	for {
		var left int
		err := s.QueryRow(ctx, `SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid() AND `+which, arg).Scan(&left)
		if err != nil || left == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}
