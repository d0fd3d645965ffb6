package mysql_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/mysql"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// box is a server of a test's own, which may end and start again on its port.
type box struct {
	*local.Server
	options []string
}

func newBox(t testing.TB, options ...string) *box {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	s, err := start("mysql-box", options...)
	if err != nil {
		t.Fatal(err)
	}
	b := &box{s, options}
	t.Cleanup(func() {
		_ = b.Stop()
		_ = os.RemoveAll(b.Dir)
	})
	return b
}

// restart ends the server in an orderly way and starts it again.
func (b *box) restart(context.Context, providers.Instance) error {
	if err := b.Stop(); err != nil {
		return err
	}
	return b.again()
}

func (b *box) again() (err error) {
	b.Server, err = local.MySQL(context.Background(), b.Dir, "admin", true, b.options...)
	return err
}

// crash kills the server and starts it again.
func (b *box) crash(context.Context, providers.Instance) error {
	text, err := os.ReadFile(filepath.Join(b.Dir, "data", "pid"))
	if err != nil {
		return err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	<-b.Dead
	return b.again()
}

// reset throws the server's counters away.
func (b *box) reset(ctx context.Context, _ providers.Instance) error {
	a, err := mysql.Dial(ctx, b.Address, b.User, b.Password, "")
	if err != nil {
		return err
	}
	defer a.Close()
	for _, what := range []string{"FLUSH STATUS", "FLUSH USER_STATISTICS"} {
		if _, err := a.Conn.ExecContext(ctx, what); err != nil {
			return err
		}
	}
	return nil
}

// reborn is a driver that another value takes the place of, as in a market that was started again.
type reborn struct{ *mysql.Driver }

// TestCountersGoOn whatever happens between two readings: to the server, to the market, or by an operator's hand.
func TestCountersGoOn(t *testing.T) {
	t.Parallel()
	b := newBox(t, "--innodb-flush-log-at-trx-commit=1")
	settings := mysql.Settings{Admin: func() (string, error) { return b.URL(), nil }}
	d := &reborn{mysql.New(settings)}
	t.Cleanup(func() { d.Close() })
	checks := providertest.Checks()
	check := checks[slices.IndexFunc(checks, func(c providertest.Check) bool { return c.Name == "counters_restart" })]
	for name, happen := range map[string]func(context.Context, providers.Instance) error{
		"server ended": b.restart, "server crashed": b.crash, "operator": b.reset,
		"market started again": func(context.Context, providers.Instance) error {
			d.Close()
			d.Driver = mysql.New(settings)
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			h := harness(t, b)
			h.Provider = providers.New(providers.Settings{Name: "my", Failures: 1000}, d, nil)
			h.Restart = happen
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if err := check.Run(ctx, h); err != nil {
				t.Error(err)
			}
		})
	}
}

// reading gives one metric's reading.
func reading(t testing.TB, d *mysql.Driver, i providers.Instance, metric string) providers.Reading {
	t.Helper()
	list, err := d.Read(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range list {
		if r.Metric == metric {
			return r
		}
	}
	t.Fatalf("no %s in %+v", metric, list)
	return providers.Reading{}
}

func TestQueriesAreCountedOverUnbindFlushAndRestart(t *testing.T) {
	t.Parallel()
	s := newBox(t)
	settings := mysql.Settings{Admin: func() (string, error) { return s.URL(), nil }}
	d := open(t, settings)
	i := made(t, d, "ins_counters")
	b, c := bind(t, d, i, "bnd_counters")
	a := entered(t, c)
	last := reading(t, d, i, "queries")
	up := func(what string, least int64) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); ; { // the server counts a query a moment after it has answered it
			now, again := reading(t, d, i, "queries"), reading(t, d, i, "queries")
			more := number(t, now.Value.String()) - number(t, last.Value.String())
			if now.Epoch != last.Epoch || more < 0 {
				t.Fatalf("%s: %s in epoch %s after %s in epoch %s", what, now.Value, now.Epoch, last.Value, last.Epoch)
			}
			if now == again && more >= least {
				last = now
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d queries more, want at least %d; asked twice: %s and %s", what, more, least, now.Value, again.Value)
			}
		}
	}
	run := func(a *mysql.App) {
		t.Helper()
		for range 5 {
			execute(t, a.Conn, "SELECT 1")
		}
	}
	run(a)
	up("five queries", 5)
	run(a)
	if _, err := d.Unbind(t.Context(), i, b); err != nil {
		t.Fatal(err)
	}
	up("after the binding went", 5)
	_, c = bind(t, d, i, "bnd_counters")
	up("the same binding again", 0)
	run(entered(t, c))
	up("its queries", 5)
	db, su, err := dial(t.Context(), s.Address, s.User, s.Password, "")
	if err != nil {
		t.Fatal(err)
	}
	execute(t, su, "FLUSH USER_STATISTICS")
	db.Close()
	up("after the counters were flushed", 0)
	if err := s.restart(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	up("after a restart of the server", 0)
	_, c = bind(t, d, i, "bnd_counters")
	a = entered(t, c)
	run(a)
	up("and its queries", 5)
	d = open(t, settings)
	up("in a market that was started again", 0)
	if err := s.restart(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	a = entered(t, c)
	for range 100 { // more than were counted before the restart: the server's counter is larger than it was, and began anew all the same
		execute(t, a.Conn, "SELECT 1")
	}
	up("many queries after a restart, without a look at it", 100)
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
