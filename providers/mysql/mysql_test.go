package mysql_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

func login(ctx context.Context, credentials map[string]any) (providertest.Session, error) {
	return enter(ctx, credentials)
}

func enter(ctx context.Context, credentials map[string]any, change ...func(*driver.Config)) (*mysql.App, error) {
	return mysql.Login(ctx, credentials, change...)
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

// cling owns every kind of thing that runs with its owner's rights, and changes its own password.
func cling(ctx context.Context, s providertest.Session) error {
	for _, text := range []string{
		"CREATE TABLE `mine'\"``x` (a INT PRIMARY KEY, n INT)", "CREATE VIEW v AS SELECT * FROM `mine'\"``x`", "CREATE FUNCTION f() RETURNS INT DETERMINISTIC RETURN (SELECT COUNT(*) FROM notes)",
		"CREATE TRIGGER tr BEFORE INSERT ON `mine'\"``x` FOR EACH ROW SET NEW.n = f()", "CREATE PROCEDURE p() BEGIN SELECT 1; END", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET @x = 1",
		"CREATE TEMPORARY TABLE tmp (a INT)", "SET PASSWORD = PASSWORD('changed by the app itself')", "START TRANSACTION", "INSERT INTO `mine'\"``x` VALUES (1, 0)",
	} {
		if _, err := s.(*mysql.App).Conn.ExecContext(ctx, text); err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
	}
	return nil
}

// trespass tries the other tenant's database with one's own login, and what can be done from inside.
func trespass(ctx context.Context, mine, theirs map[string]any) error {
	other, me, them := theirs["database"].(string), mine["database"].(string), theirs["username"].(string)
	if a, err := enter(ctx, map[string]any{"host": mine["host"], "port": mine["port"], "username": mine["username"], "password": mine["password"], "database": other}); err == nil {
		a.Close()
		return nil
	}
	for _, database := range []string{"mysql", "sutler", "sys", "test"} {
		if a, err := enter(ctx, map[string]any{"host": mine["host"], "port": mine["port"], "username": mine["username"], "password": mine["password"], "database": database}); err == nil {
			a.Close()
			return nil
		}
	}
	a, err := enter(ctx, mine)
	if err != nil {
		return err
	}
	defer a.Close()
	for _, text := range []string{
		"USE " + other, "SELECT * FROM " + other + ".notes", "INSERT INTO " + other + ".notes VALUES ('x', 'y')", "DROP DATABASE " + other, "CREATE TABLE " + other + ".x (a INT)",
		"CREATE DATABASE more", "CREATE DATABASE " + me + "x", "CREATE DATABASE " + me[:len(me)-1] + "_", "CREATE DATABASE test_mine", "CREATE TABLE test.x (a INT)",
		"CREATE VIEW spy AS SELECT * FROM " + other + ".notes", "SELECT * FROM mysql.user", "SELECT * FROM mysql.global_priv", "SELECT * FROM mysql.db", "SELECT * FROM sutler.logins",
		"SELECT 1 INTO OUTFILE '/tmp/out'", "SELECT 1 INTO DUMPFILE '/var/tmp/x.so'", "LOAD DATA INFILE '/etc/passwd' INTO TABLE notes", "LOAD DATA LOCAL INFILE '/etc/passwd' INTO TABLE notes",
		"CREATE USER more", "GRANT SELECT ON " + me + ".* TO " + them, "GRANT ALL ON `db%`.* TO CURRENT_USER()", "SET GLOBAL local_infile = 1",
		"ALTER USER CURRENT_USER() WITH MAX_USER_CONNECTIONS 1000", "ALTER USER CURRENT_USER() REQUIRE NONE WITH MAX_USER_CONNECTIONS 0", "SET PASSWORD FOR " + them + " = PASSWORD('x')", "SHOW GRANTS FOR " + them, "FLUSH USER_STATISTICS", "INSTALL SONAME 'ha_federated'",
		"CREATE FUNCTION sys_exec RETURNS INT SONAME 'x.so'", "CREATE DEFINER=" + them + " VIEW theirs AS SELECT 1", "SELECT * FROM information_schema.INNODB_TRX", "SHOW ENGINE INNODB STATUS", "SHUTDOWN", "SET SESSION SQL_LOG_BIN = 0",
		"SELECT LOAD_FILE('/etc/passwd') + (SELECT 1 FROM " + other + ".notes)",
	} {
		if _, err := a.Conn.ExecContext(ctx, text); err == nil {
			return nil
		}
	}
	var file sql.NullString
	if err := a.Conn.QueryRowContext(ctx, "SELECT LOAD_FILE('/etc/passwd')").Scan(&file); err != nil || file.Valid {
		return nil
	}
	_, _ = a.Conn.ExecContext(ctx, "CREATE TABLE elsewhere (a INT) DATA DIRECTORY = '/tmp'") // the option is ignored, or the statement refused
	for _, query := range []string{
		"SELECT 1 FROM information_schema.TABLES WHERE CREATE_OPTIONS LIKE '%DIRECTORY%'", "SHOW DATABASES LIKE '" + other + "'", "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('information_schema', '" + me + "')", "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = '" + other + "'",
		"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '" + them + "'", "SELECT GRANTEE FROM information_schema.SCHEMA_PRIVILEGES WHERE TABLE_SCHEMA <> '" + me + "'", "SELECT GRANTEE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE LIKE '%" + them + "%'",
	} {
		if seen, err := texts(ctx, a.Conn, query); err != nil || len(seen) > 0 {
			return nil
		}
	}
	return errors.New("refused everywhere")
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
		Provider: p, Plan: list[0].Plans[1], Other: list[0].Plans[2], Login: login, Trespass: trespass, Cling: cling,
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
