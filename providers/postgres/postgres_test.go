package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/providers/providertest"
)

var started atomic.Bool

// server is the one PostgreSQL server of this test binary.
var server = sync.OnceValues(func() (*local.Server, error) {
	started.Store(true)
	if err := local.Ensure(context.Background(), "postgresql"); err != nil {
		return nil, err
	}
	dir, err := local.Temporary("postgres")
	if err != nil {
		return nil, err
	}
	return local.PostgreSQL(context.Background(), dir, "admin", true)
})

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

func superuser(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	s, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return "postgres://sutler:admin@" + s.Address + "/postgres?sslmode=disable"
}

func connect(t testing.TB, dsn string) *pgx.Conn {
	t.Helper()
	c, err := pgx.Connect(context.Background(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func execute(t testing.TB, c *pgx.Conn, sql string) {
	t.Helper()
	if _, err := c.Exec(t.Context(), sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

// broker is an administrator who is no superuser.
func broker(t testing.TB) string {
	t.Helper()
	return brokerOf(t, superuser(t))
}

func brokerOf(t testing.TB, su string) string {
	t.Helper()
	c := connect(t, su)
	if _, err := c.Exec(t.Context(), `CREATE ROLE broker LOGIN CREATEDB CREATEROLE PASSWORD 'broker'`); err != nil && !strings.Contains(err.Error(), "already exists") {
		t.Fatal(err)
	}
	execute(t, c, `GRANT CONNECT ON DATABASE postgres TO broker; REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC`) // which he may not himself
	return strings.Replace(su, "sutler:admin@", "broker:broker@", 1)
}

func login(ctx context.Context, credentials map[string]any) (providertest.Session, error) {
	a, err := postgres.Login(ctx, credentials)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// cling owns objects under the login's own name, in two schemas, grants on them, and changes its password and settings.
func cling(ctx context.Context, s providertest.Session) error {
	_, err := s.(*postgres.App).Conn.Exec(ctx, `SET ROLE NONE; DO $$ BEGIN EXECUTE format('ALTER ROLE %I PASSWORD ''changed''; ALTER ROLE %I SET statement_timeout = 0', session_user, session_user); END $$;`)
	if err != nil {
		return err
	}
	_, err = s.(*postgres.App).Conn.Exec(ctx, `CREATE SCHEMA "mine'""x"; CREATE TABLE "mine'""x".t (a serial PRIMARY KEY); CREATE VIEW "mine'""x".v AS SELECT * FROM "mine'""x".t;
		CREATE FUNCTION "mine'""x".f() RETURNS int LANGUAGE sql AS 'SELECT 1'; GRANT SELECT ON "mine'""x".t TO PUBLIC; SELECT lo_create(0); CREATE TEMP TABLE tmp (a int);
		ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC`)
	return err
}

// trespass tries the other tenant's database with one's own login, and what can be done from inside.
func trespass(ctx context.Context, mine, theirs map[string]any) error {
	uri := strings.Replace(mine["uri"].(string), "/"+mine["database"].(string), "/"+theirs["database"].(string), 1)
	if c, err := pgx.Connect(ctx, uri); err == nil {
		return c.Close(ctx)
	}
	for _, database := range []string{"postgres", "template1"} {
		if c, err := pgx.Connect(ctx, strings.Replace(mine["uri"].(string), "/"+mine["database"].(string), "/"+database, 1)); err == nil {
			return c.Close(ctx)
		}
	}
	c, err := pgx.Connect(ctx, mine["uri"].(string))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for _, sql := range []string{
		fmt.Sprintf(`SET ROLE %q`, theirs["username"]),
		fmt.Sprintf(`ALTER DATABASE %q CONNECTION LIMIT 1000`, mine["database"]),
		fmt.Sprintf(`GRANT CONNECT ON DATABASE %q TO PUBLIC`, mine["database"]),
		fmt.Sprintf(`ALTER ROLE %q CONNECTION LIMIT 1000`, mine["username"]),
		`CREATE ROLE more LOGIN`, `CREATE DATABASE more`, `CREATE EXTENSION dblink`, `COPY (SELECT 1) TO PROGRAM 'true'`, `SELECT pg_read_file('/etc/passwd')`,
		`SELECT pg_stat_reset()`,
	} {
		if _, err := c.Exec(ctx, sql); err == nil && !granted(ctx, c, sql, mine) {
			return nil
		}
	}
	var seen int
	if err := c.QueryRow(ctx, `SELECT count(*) FROM pg_stat_activity WHERE usename = $1 AND query NOT IN ('', '<insufficient privilege>')`, theirs["username"]).Scan(&seen); err != nil || seen > 0 {
		return nil
	}
	return errors.New("refused everywhere")
}

// granted tells whether a GRANT that gave no error (PostgreSQL only warns when nothing could be granted) did nothing.
func granted(ctx context.Context, c *pgx.Conn, sql string, mine map[string]any) bool {
	var open bool
	err := c.QueryRow(ctx, `SELECT EXISTS (SELECT FROM pg_database, aclexplode(datacl) a WHERE datname = $1 AND a.grantee = 0)`, mine["database"]).Scan(&open)
	return strings.HasPrefix(sql, "GRANT") && err == nil && !open
}

// harness is of the server whose superuser's address is su; admin is the driver's own.
func harness(t *testing.T, su, admin string) providertest.Harness {
	t.Helper()
	open := func() *providers.Provider {
		d := postgres.New(postgres.Settings{Admin: postgres.Address(admin), SSLMode: "disable"})
		t.Cleanup(d.Close)
		return providers.New(providers.Settings{Name: "pg", Failures: 1000}, d, nil)
	}
	p := open()
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return providertest.Harness{
		Provider: p, Plan: list[0].Plans[1], Other: list[0].Plans[2],
		Login: login, Trespass: trespass, Cling: cling,
		Leftovers: func(ctx context.Context) ([]string, error) {
			c, err := pgx.Connect(ctx, su)
			if err != nil {
				return nil, err
			}
			defer c.Close(ctx)
			rows, err := c.Query(ctx, `SELECT 'database ' || datname FROM pg_database UNION SELECT 'role ' || rolname FROM pg_roles
				UNION SELECT 'setting ' || setrole || ' ' || setdatabase FROM pg_db_role_setting
				UNION SELECT 'member ' || roleid || ' ' || member FROM pg_auth_members UNION SELECT 'comment ' || objoid FROM pg_shdescription`)
			if err != nil {
				return nil, err
			}
			return pgx.CollectRows(rows, pgx.RowTo[string])
		},
		Overfill: providertest.Fill(3 * (16 << 20)), Tight: providertest.Tightened(list[0].Plans[0], "storage_bytes", 16<<20),
		Reopen: func(context.Context) (*providers.Provider, error) { return open(), nil },
		Reset:  func(ctx context.Context, i providers.Instance) error { return reset(ctx, su, i.ID) },
		Use:    func(ctx context.Context, i providers.Instance, n int) error { return use(ctx, su, i.ID, n) },
	}
}

func TestConformance(t *testing.T) {
	b := newBox(t)
	for name, admin := range map[string]string{"superuser": b.URL(), "broker": brokerOf(t, b.URL())} {
		t.Run(name, func(t *testing.T) {
			h := harness(t, b.URL(), admin)
			h.Restart = b.restart
			providertest.Keep(t, "postgres, as "+name, providertest.Conform(t, time.Minute, func(*testing.T) providertest.Harness { return h }))
		})
	}
}
