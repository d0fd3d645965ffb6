package mysql

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	sqldriver "database/sql/driver"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/sutlerhq/sutler/internal/fault"
)

func open(ctx context.Context, dsn string) (*server, error) {
	s, err := parse(dsn)
	if err != nil {
		return nil, err
	}
	c := s.config(s.user, s.pass, "")
	c.Params = map[string]string{"sql_mode": "'STRICT_ALL_TABLES'", "lock_wait_timeout": "5", "innodb_lock_wait_timeout": "5"}
	connector, err := driver.NewConnector(c)
	if err != nil {
		return nil, fault.ProviderFailed.Wrap(err, "The administrator's address of the MariaDB server is malformed.")
	}
	s.pool = sql.OpenDB(connector)
	s.pool.SetMaxOpenConns(8)
	s.pool.SetConnMaxIdleTime(time.Minute)
	if err := errors.Join(harden(ctx, s.pool), s.books(ctx)); err != nil {
		s.close()
		return nil, classed(err)
	}
	return s, nil
}

// session is one connection of the administrator that holds the instance's lock.
type session struct {
	*sql.Conn
	instance string // id
	database string
}

// lockName is what calls for one instance take turns by. A tenant may take any lock of the server whose name he can tell: not this one.
func (s *server) lockName(instance string) string {
	m := hmac.New(sha256.New, []byte(s.secret))
	m.Write([]byte(instance))
	return hex.EncodeToString(m.Sum(nil)[:24])
}

// locked runs f with the instance's lock, so that calls for one instance take turns, in this process and in others.
func (d *Driver) locked(ctx context.Context, instance string, f func(s session) error) error {
	server, err := d.way.Take(ctx)
	if err != nil {
		return err
	}
	conn, err := server.pool.Conn(ctx)
	if err != nil {
		return classed(err)
	}
	defer conn.Close()
	lock := server.lockName(instance)
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(?, 20)`, lock).Scan(&got); err != nil {
		return classed(err)
	}
	if got.Int64 != 1 {
		return fault.Unavailable.Errorf("Another call for the same database is running on the MariaDB server; it is tried again.")
	}
	err = f(session{Conn: conn, instance: instance, database: databaseOf(instance)})
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if _, e := conn.ExecContext(after, `DO RELEASE_LOCK(?)`, lock); e != nil {
		_ = conn.Raw(func(any) error { return sqldriver.ErrBadConn }) // the end of the connection unlocks too
	}
	return classed(err)
}

// run executes statements one after the other.
func (s session) run(ctx context.Context, statements ...string) error {
	for _, text := range statements {
		if _, err := s.ExecContext(ctx, text); err != nil {
			return err
		}
	}
	return nil
}

// quoted is a name for a statement.
func quoted(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// scope is a database's name for a grant, where "_" and "%" stand for other letters unless they are escaped.
func scope(database string) string {
	return quoted(strings.NewReplacer(`\`, `\\`, "_", `\_`, "%", `\%`).Replace(database)) + ".*"
}

// account is a login's name for a statement. Names are derived: letters and digits.
func account(name string) string { return "'" + name + "'@'%'" }

func number(err error) uint16 {
	if e, ok := errors.AsType[*driver.MySQLError](err); ok {
		return e.Number
	}
	return 0
}

// classed tells what passes by itself from what does not, and what stands in the way of one instance (Busy) from a server that is away.
func classed(err error) error {
	if err == nil {
		return nil
	}
	if _, known := errors.AsType[*fault.Fault](err); known {
		return err
	}
	switch number(err) {
	case 1040, 1053, 1129, 1203, 1927, 2006, 2013: // too many connections, going down, host blocked, killed
		return fault.Unavailable.Wrap(err, "The MariaDB server takes no connections now.")
	case lockedByOther, 1213, 1020:
		return fault.Busy.Wrap(err, "An app's open transaction stands in the way; it is tried again.")
	case 1045:
		return fault.ProviderFailed.Wrap(err, "The MariaDB server does not let the administrator in: the user or the password is wrong, or it may not come from this host.").
			WithHint("They are the provider's settings; it is tried again within a minute.")
	case 1044, 1142, 1227:
		return fault.ProviderFailed.Wrap(err, "The MariaDB server refuses its administrator something.").WithHint("The rights that it needs are listed in providers/mysql/README.md.")
	}
	if errors.Is(err, driver.ErrInvalidConn) || errors.Is(err, sqldriver.ErrBadConn) {
		return fault.Unavailable.Wrap(err, "The connection to the MariaDB server broke; it is tried again.")
	}
	return err
}
