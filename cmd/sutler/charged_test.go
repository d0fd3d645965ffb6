package main

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// charged is a market that sells databases of one PostgreSQL server by the transaction, and an app that uses one.
type charged struct {
	metered
	server *local.Server
	dir    string // the server's
	url    string // the app's
}

// busy is how many transactions the app makes between two looks: far more than the market and the server make of their own.
const busy = 2000

func sellTransactions(t *testing.T) *charged {
	t.Helper()
	if err := local.Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
	dir, err := local.Temporary("metered")
	if err != nil {
		t.Fatal(err)
	}
	m := &charged{metered: metered{t: t, metric: "transactions"}, dir: dir}
	t.Cleanup(func() {
		if m.server != nil {
			_ = m.server.Stop()
		}
		_ = os.RemoveAll(dir)
	})
	m.startServer()
	m.site = newSite(t, dbtest.Postgres(t), "first", fmt.Sprintf(`- name: pg
  driver: postgres
  region: eu
  settings: {admin: %q}
  offerings:
  - offering: postgresql
    plans:
    - name: small
      metrics: [{name: transactions, unit: transaction, aggregation: sum, kind: delta}]
      rates: [{name: Transactions, model: per_unit, metric: transactions, unit: "0.01"}]
`, m.admin("postgres")))
	m.process = m.run(t)
	made := m.order(t, m.process, "postgresql:small")
	m.awaitReady(t, m.process, made.ID)
	if _, err := m.client().CreateApp(t.Context(), client.NewApp{Name: "shopfront", Org: devOrg, Project: devProject}); err != nil {
		t.Fatal(err)
	}
	b, err := m.client().Bind(t.Context(), client.NewBinding{Instance: made.ID, App: "shopfront", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	m.instance, m.url = made.ID, fmt.Sprint(m.credentials(t, m.process, b.ID)["uri"])
	m.shown = m.transactions
	return m
}

// startServer starts the server, on the port that it had before.
func (m *charged) startServer() {
	m.t.Helper()
	var err error
	if m.server, err = local.PostgreSQL(context.WithoutCancel(m.t.Context()), m.dir, serverSecret, true); err != nil {
		m.t.Fatal(err)
	}
}

// crash ends the server without its writing anything down, and starts it again.
func (m *charged) crash() {
	m.t.Helper()
	text, err := os.ReadFile(filepath.Join(m.server.Dir, "data", "postmaster.pid"))
	if err != nil {
		m.t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(line)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		m.t.Fatal(err)
	}
	<-m.server.Dead
	m.startServer()
}

func (m *charged) admin(database string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", m.server.User, serverSecret, m.server.Address, database)
}

// asks runs one statement and scans its one answer, where that is wanted.
func (m *charged) asks(url, query string, answer any) {
	m.t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(m.t.Context(), query).Scan(answer); err != nil {
		m.t.Fatal(query, err)
	}
}

// transactions is what the server itself counts for the instance since it began to count.
func (m *charged) transactions() (n int64) {
	m.t.Helper()
	m.asks(m.admin("postgres"), "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '"+providers.Name("db", m.instance)+"'", &n)
	return n
}

// works makes as many transactions as busy says, calls halfway in the middle of them, and waits until the server has counted them all.
func (m *charged) works(halfway func()) {
	m.t.Helper()
	before := m.shown()
	db, err := sql.Open("pgx", m.url)
	if err != nil {
		m.t.Fatal(err)
	}
	for n := range busy {
		if n == busy/2 && halfway != nil {
			halfway()
		}
		if _, err := db.ExecContext(m.t.Context(), "SELECT 1"); err != nil {
			m.t.Fatal(err)
		}
	}
	_ = db.Close() // the server counts a connection's last transactions when it ends
	m.await(m.t, "count of the app's transactions", func() bool { return m.shown() >= before+busy })
}

// TestWhatIsUsedIsChargedOnce: an app makes a known number of transactions while the market is killed, its server ends and starts again, the
// server's counters are reset and the server crashes. What is told, what is in the windows and what is on the invoice is one number: what the
// server counted. What the server itself lost with a reset or a crash before it was read is nobody's.
func TestWhatIsUsedIsChargedOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers and processes")
	}
	t.Parallel()
	m := sellTransactions(t)
	m.works(nil)
	if got := m.counts("at first", 0); got < busy {
		t.Errorf("%d, and the app made %d", got, busy)
	}
	m.works(func() { m.kill(); m.process = m.run(t) })
	if got := m.counts("after the market was killed", 0); got < 2*busy {
		t.Errorf("%d, and the app made %d", got, 2*busy)
	}
	m.works(nil)
	if err := m.server.Stop(); err != nil {
		t.Fatal(err)
	}
	m.startServer()
	m.works(nil)
	former := m.counts("over the server's restart", 0)
	if former < 4*busy {
		t.Errorf("%d, and the app made %d", former, 4*busy)
	}

	var nothing any
	m.asks(m.admin(providers.Name("db", m.instance)), "SELECT pg_stat_reset()::text", &nothing)
	m.works(nil)
	former = m.counts("after a reset", former)
	m.works(nil) // lost
	m.crash()
	m.works(nil)
	former = m.counts("after a crash", former)
	if former < 6*busy || former >= 7*busy {
		t.Errorf("%d, and the app made %d, of which the server lost %d", former, 7*busy, busy)
	}

	m.works(nil)
	if _, err := m.client().DestroyInstance(t.Context(), m.instance); err != nil {
		t.Fatal(err)
	}
	m.await(t, "end of the instance", func() bool {
		return m.count(t, "SELECT count(*) FROM instances WHERE state = 'gone'") == 1
	})
	all := m.used()
	if all < former+busy || all != m.windows() {
		t.Errorf("%d with the last part of an hour, %d in windows, want %d more than %d", all, m.windows(), busy, former)
	}
	if got := m.invoiced(); got != all {
		t.Errorf("%d transactions are on the invoices, %d were used", got, all)
	}
}
