package postgres_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// box is a server of a test's own, which may end and start again on its port.
type box struct {
	*local.Server
	dir string
}

func newBox(t testing.TB) *box {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	if err := local.Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
	dir, err := local.Temporary("postgres-box")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &box{dir: dir}
	if err := b.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = b.Stop()
		_ = os.RemoveAll(b.Dir)
	})
	return b
}

func (b *box) start() (err error) {
	b.Server, err = local.PostgreSQL(context.Background(), b.dir, "admin", true)
	return err
}

// restart ends the server in an orderly way and starts it again.
func (b *box) restart(context.Context, providers.Instance) error {
	if err := b.Stop(); err != nil {
		return err
	}
	return b.start()
}

// crash ends the server without letting it save its counts, and starts it again.
func (b *box) crash(context.Context, providers.Instance) error {
	text, err := os.ReadFile(filepath.Join(b.Dir, "data", "postmaster.pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.SplitN(string(text), "\n", 2)[0])
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		return err
	}
	<-b.Dead
	return b.start()
}

// inside connects the superuser whose address is su to an instance's database.
func inside(ctx context.Context, su, instance string) (*pgx.Conn, error) {
	return pgx.Connect(ctx, strings.Replace(su, "/postgres?", "/"+providers.Name("db", instance)+"?", 1))
}

// reset throws away the statistics of an instance's database, and then one of the server's own, which is no reason to count anew.
func reset(ctx context.Context, su, instance string) error {
	c, err := inside(ctx, su, instance)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	if _, err = c.Exec(ctx, "SELECT pg_stat_reset()"); err == nil {
		_, err = c.Exec(ctx, "SELECT pg_stat_reset_shared('bgwriter')")
	}
	return err
}

// use does n transactions and ends its session: an open one tells of the last of them 10 s later.
func use(ctx context.Context, su, instance string, n int) error {
	c, err := inside(ctx, su, instance)
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	for range n {
		if _, err := c.Exec(ctx, "SELECT 1"); err != nil {
			return err
		}
	}
	return nil
}

// reborn is a driver that another value takes the place of, as in a market that was started again.
type reborn struct{ *postgres.Driver }

// TestCountersGoOn whatever happens between two readings: to the server, to the market, or by an operator's hand.
func TestCountersGoOn(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	settings := postgres.Settings{Admin: func() (string, error) { return b.URL(), nil }, SSLMode: "disable"}
	d := &reborn{postgres.New(settings)}
	t.Cleanup(func() { d.Close() })
	checks := providertest.Checks()
	check := checks[slices.IndexFunc(checks, func(c providertest.Check) bool { return c.Name == "counters_restart" })]
	for name, happen := range map[string]func(context.Context, providers.Instance) error{
		"server ended": b.restart, "server crashed": b.crash,
		"market started again": func(context.Context, providers.Instance) error {
			d.Close()
			d.Driver = postgres.New(settings)
			return nil
		},
		"operator": func(ctx context.Context, _ providers.Instance) error {
			c, err := pgx.Connect(ctx, b.URL())
			if err != nil {
				return err
			}
			defer c.Close(ctx)
			_, err = c.Exec(ctx, "SELECT pg_stat_reset_shared('bgwriter')")
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := harness(t, b.URL(), b.URL())
			h.Provider = providers.New(providers.Settings{Name: "pg", Failures: 1000}, d, nil)
			h.Restart = happen
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if err := check.Run(ctx, h); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCounterEpochs: a clean restart and a new driver keep the epoch, a crash and a reset begin another.
func TestCounterEpochs(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	settings := postgres.Settings{Admin: func() (string, error) { return b.URL(), nil }, SSLMode: "disable"}
	d := postgres.New(settings)
	t.Cleanup(d.Close) // after the instance has gone
	i := made(t, d, "ins_epoch")
	t.Cleanup(func() { d.Close() }) // the last one
	for n, c := range []struct {
		what   string
		happen func() error
		anew   bool
	}{
		{"a clean restart", func() error { return b.restart(t.Context(), i) }, false},
		{"a new driver", func() error { d.Close(); d = postgres.New(settings); return nil }, false},
		{"a crash", func() error { return b.crash(t.Context(), i) }, true},
		{"a reset", func() error { return reset(t.Context(), b.URL(), i.ID) }, true},
	} {
		if err := use(t.Context(), b.URL(), i.ID, 20); err != nil {
			t.Fatal(err)
		}
		n0, e0 := settled(t, d, i, 20)
		if err := c.happen(); err != nil {
			t.Fatal(err)
		}
		n1, e1 := transactions(t, d, i)
		if anew := e1 != e0; anew != c.anew || n1 < 0 || !anew && n1 < n0 {
			t.Errorf("%d: after %s: %d in epoch %s, then %d in %s", n, c.what, n0, e0, n1, e1)
		}
	}
}

func transactions(t *testing.T, d *postgres.Driver, i providers.Instance) (int64, string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; { // the connections that it had to the server are found dead one by one
		n, epoch, err := counted(t.Context(), d, i)
		if err == nil {
			return n, epoch
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func counted(ctx context.Context, d *postgres.Driver, i providers.Instance) (n int64, epoch string, err error) {
	list, err := d.Read(ctx, i)
	if err != nil {
		return 0, "", err
	}
	for _, r := range list {
		if r.Metric == "transactions" {
			n, err = strconv.ParseInt(r.Value.String(), 10, 64)
			return n, r.Epoch, err
		}
	}
	return 0, "", fmt.Errorf("no transactions in %+v", list)
}

// settled waits until the counter shows at least this many.
func settled(t *testing.T, d *postgres.Driver, i providers.Instance, least int64) (int64, string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; {
		n, epoch := transactions(t, d, i)
		if n >= least {
			return n, epoch
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d transactions counted, want %d", n, least)
		}
	}
}
