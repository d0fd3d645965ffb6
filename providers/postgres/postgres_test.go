package postgres_test

import (
	"context"
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
		Bench: providertest.BenchOf(postgres.Login, postgres.Trespass, postgres.Cling),
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
