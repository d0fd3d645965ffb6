package postgres_test

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// reset throws away the statistics of an instance's database, and then one of the server's own, which is no reason to count anew.
func reset(ctx context.Context, instance string) error {
	s, err := server()
	if err != nil {
		return err
	}
	c, err := pgx.Connect(ctx, "postgres://sutler:admin@"+s.Address+"/"+providers.Name("db", instance)+"?sslmode=disable")
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	if _, err = c.Exec(ctx, "SELECT pg_stat_reset()"); err == nil {
		_, err = c.Exec(ctx, "SELECT pg_stat_reset_shared('bgwriter')")
	}
	return err
}

// TestCountersOverARestart: a server of the test's own ends and starts again, or has one of its own statistics thrown away by an operator.
func TestCountersOverARestart(t *testing.T) {
	superuser(t) // the programs are there
	dir, err := local.Temporary("postgres")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	s, err := local.PostgreSQL(t.Context(), dir, "admin", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	admin := func() string { return "postgres://sutler:admin@" + s.Address + "/postgres?sslmode=disable" }
	checks := providertest.Checks()
	check := checks[slices.IndexFunc(checks, func(c providertest.Check) bool { return c.Name == "counters_restart" })]
	for name, happen := range map[string]func(context.Context) error{
		"ended": func(ctx context.Context) (err error) {
			if err = s.Stop(); err == nil {
				s, err = local.PostgreSQL(context.WithoutCancel(ctx), dir, "admin", true)
			}
			return err
		},
		"operator": func(ctx context.Context) error {
			c, err := pgx.Connect(ctx, admin())
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			_, err = c.Exec(ctx, "SELECT pg_stat_reset_shared('bgwriter')")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := harness(t, admin())
			h.Restart = func(ctx context.Context, _ providers.Instance) error { return happen(ctx) }
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if err := check.Run(ctx, h); err != nil {
				t.Error(err)
			}
		})
	}
}
