package mysql_test

import (
	"context"
	"database/sql"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/mysql"
	"github.com/sutlerhq/sutler/providers/providertest"
)

var started atomic.Bool

// server is the one MariaDB server of this test binary.
var server = sync.OnceValues(func() (*local.Server, error) {
	started.Store(true)
	return start("mysql")
})

func start(kind string, options ...string) (*local.Server, error) {
	if err := local.Ensure(context.Background(), "mysql"); err != nil {
		return nil, err
	}
	dir, err := local.Temporary(kind)
	if err != nil {
		return nil, err
	}
	return local.MySQL(context.Background(), dir, "admin", true, options...)
}

func TestMain(m *testing.M) {
	code := m.Run()
	if started.Load() {
		if s, err := server(); err == nil {
			_ = s.Stop()
			_ = os.RemoveAll(s.Dir)
		}
	}
	os.Exit(code)
}

func running(t testing.TB) *local.Server {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func admin(t testing.TB) string { return running(t).URL() }

// dial opens exactly one connection, as an app does, without trying again.
func dial(ctx context.Context, address, user, password, database string, change ...func(*driver.Config)) (*sql.DB, *sql.Conn, error) {
	a, err := mysql.Dial(ctx, address, user, password, database, change...)
	if err != nil {
		return nil, nil, err
	}
	return a.DB, a.Conn, nil
}

func super(t testing.TB) *sql.Conn {
	t.Helper()
	s := running(t)
	db, conn, err := dial(context.Background(), s.Address, s.User, s.Password, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); db.Close() })
	return conn
}

func execute(t testing.TB, c *sql.Conn, statements ...string) {
	t.Helper()
	for _, text := range statements {
		if _, err := c.ExecContext(context.Background(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

func enter(ctx context.Context, credentials map[string]any) (*mysql.App, error) {
	return mysql.Login(ctx, credentials)
}

func texts(ctx context.Context, c *sql.Conn, query string, args ...any) (list []string, err error) {
	rows, err := c.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

func open(t testing.TB, s mysql.Settings) *mysql.Driver {
	t.Helper()
	if s.Admin == nil {
		s.Admin = mysql.Address(admin(t))
	}
	d := mysql.New(s)
	t.Cleanup(d.Close)
	return d
}

// harness is of a server that may be started again meanwhile.
func harness(t *testing.T, b *box) providertest.Harness {
	t.Helper()
	return harnessOf(t, b, mysql.Settings{Admin: func() (string, error) { return b.URL(), nil }})
}

func harnessOf(t *testing.T, b *box, s mysql.Settings) providertest.Harness {
	t.Helper()
	fresh := func() *providers.Provider {
		return providers.New(providers.Settings{Name: "my", Failures: 1000}, open(t, s), nil)
	}
	p := fresh()
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return providertest.Harness{
		Provider: p, Plan: list[0].Plans[1], Other: list[0].Plans[2], Bench: providertest.BenchOf(mysql.Login, mysql.Trespass, mysql.Cling),
		Leftovers: func(ctx context.Context) ([]string, error) {
			a, err := mysql.Dial(ctx, b.Address, b.User, b.Password, "")
			if err != nil {
				return nil, err
			}
			defer a.Close()
			return texts(ctx, a.Conn, `SELECT CONCAT('database ', SCHEMA_NAME) FROM information_schema.SCHEMATA UNION SELECT CONCAT('user ', User, Host) FROM mysql.user
				UNION SELECT CONCAT('grant ', User, Db) FROM mysql.db UNION SELECT CONCAT('routine right ', User, Db, Routine_name) FROM mysql.procs_priv UNION SELECT CONCAT('table right ', User, Db, Table_name) FROM mysql.tables_priv
				UNION SELECT CONCAT('routine ', db, name) FROM mysql.proc UNION SELECT CONCAT('event ', db, name) FROM mysql.event
				UNION SELECT CONCAT('book ', name) FROM sutler.instances UNION SELECT CONCAT('login ', name) FROM sutler.logins UNION SELECT CONCAT('start ', instance) FROM sutler.starts`)
		},
		Overfill: providertest.Fill(3 * (16 << 20)), Tight: providertest.Tightened(list[0].Plans[0], "storage_bytes", 16<<20),
		Reopen: func(context.Context) (*providers.Provider, error) { return fresh(), nil },
		Reset:  b.reset, Restart: b.restart,
	}
}

func TestConformance(t *testing.T) {
	h := harness(t, newBox(t))
	if err := h.Provider.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	providertest.Keep(t, "mysql", providertest.Conform(t, time.Minute, func(*testing.T) providertest.Harness { return h }))
}
