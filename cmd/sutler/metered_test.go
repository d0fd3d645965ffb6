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
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// metered is a market that sells databases of one PostgreSQL server by the transaction, and an app that uses one.
type metered struct {
	site
	*process
	t        *testing.T
	server   *local.Server
	dir      string // the server's
	instance string // id
	url      string // the app's
}

// busy is how many transactions the app makes between two looks: far more than the market and the server make of their own.
const busy = 2000

func startMetered(t *testing.T) *metered {
	t.Helper()
	if err := local.Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
	dir, err := local.Temporary("metered")
	if err != nil {
		t.Fatal(err)
	}
	m := &metered{t: t, dir: dir}
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
	return m
}

// startServer starts the server, on the port that it had before.
func (m *metered) startServer() {
	m.t.Helper()
	var err error
	if m.server, err = local.PostgreSQL(context.WithoutCancel(m.t.Context()), m.dir, serverSecret, true); err != nil {
		m.t.Fatal(err)
	}
}

// crash ends the server without its writing anything down, and starts it again.
func (m *metered) crash() {
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

func (m *metered) admin(database string) string {
	return fmt.Sprintf("postgres://%s:%s@%s/%s?sslmode=disable", m.server.User, serverSecret, m.server.Address, database)
}

// asks runs one statement and scans its one answer, where that is wanted.
func (m *metered) asks(url, query string, answer any) {
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

// shown is what the server itself counts for the instance since it began to count.
func (m *metered) shown() (n int64) {
	m.t.Helper()
	m.asks(m.admin("postgres"), "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = '"+providers.Name("db", m.instance)+"'", &n)
	return n
}

// works makes as many transactions as busy says, calls halfway in the middle of them, and waits until the server has counted them all.
func (m *metered) works(halfway func()) {
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

// hour lets the market read its meters now, as it does every hour, until it has.
func (m *metered) hour() {
	m.t.Helper()
	db, err := sql.Open("pgx", m.store)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	due := time.Now().UnixMicro()
	if _, err := db.ExecContext(m.t.Context(), "UPDATE calendar SET due = $1 WHERE kind = 'readings'", due); err != nil {
		m.t.Fatal(err)
	}
	m.await(m.t, "reading", func() bool {
		return m.count(m.t, fmt.Sprintf("SELECT count(*) FROM calendar WHERE kind = 'readings' AND due > %d", due)) == 1
	})
}

// windows are what was charged for, one by one, as it was recorded.
func (m *metered) windows() (sum int64) {
	m.t.Helper()
	db, err := sql.Open("pgx", m.store)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(m.t.Context(), "SELECT at, value FROM usage_events WHERE metric = 'transactions' ORDER BY at")
	if err != nil {
		m.t.Fatal(err)
	}
	defer rows.Close()
	seen := map[int64]bool{}
	for rows.Next() {
		var at, value int64
		if err := rows.Scan(&at, &value); err != nil {
			m.t.Fatal(err)
		}
		if value <= 0 || seen[at] {
			m.t.Errorf("the window that ended at %d: %d; seen before: %v", at, value, seen[at])
		}
		seen[at] = true
		sum += value
	}
	if err := rows.Err(); err != nil {
		m.t.Fatal(err)
	}
	return sum
}

// used is the usage as the market tells it, twice the same.
func (m *metered) used() int64 {
	m.t.Helper()
	var told [2]int64
	for n := range told {
		rows, err := m.client().Usage(m.t.Context(), client.Place{Org: devOrg, Project: devProject}, time.Now().Add(-48*time.Hour), time.Now().Add(48*time.Hour))
		if err != nil {
			m.t.Fatal(err)
		}
		for _, u := range rows {
			if u.InstanceID == m.instance && u.Metric == "transactions" {
				told[n] += whole(m.t, u.Quantity)
			}
		}
	}
	if told[0] != told[1] {
		m.t.Errorf("asked twice: %d, then %d", told[0], told[1])
	}
	return told[0]
}

func whole(t *testing.T, quantity string) int64 {
	t.Helper()
	d, err := money.Parse(quantity)
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseInt(d.String(), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// counts reads the meters until nothing is missing, and compares with what the server showed before and after, on top of what was counted by former meters.
func (m *metered) counts(what string, former int64) int64 {
	m.t.Helper()
	least := former + m.shown()
	m.await(m.t, "use "+what, func() bool { m.hour(); return m.used() >= least })
	most, got := former+m.shown(), m.used()
	if got > most || got != m.windows() {
		m.t.Errorf("%s: %d are told, %d in windows; the server has counted %d to %d", what, got, m.windows(), least, most)
	}
	m.hour() // the meter stands still, but for what the market and the server do themselves
	if again := m.used(); again < got || again > former+m.shown() {
		m.t.Errorf("%s: read again, %d became %d", what, got, again)
	}
	return m.used()
}

// invoiced moves the market's clock behind the month's end while the market is down, and adds up the app's transactions on all invoices.
func (m *metered) invoiced() (sum int64) {
	m.t.Helper()
	m.kill()
	db, err := sql.Open("pgx", m.store)
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(m.t.Context(), "INSERT INTO market_clock (one, ahead) VALUES (1, $1)", (32 * 24 * time.Hour).Microseconds()); err != nil {
		m.t.Fatal(err)
	}
	m.process = m.run(m.t)
	next := fmt.Sprintf("SELECT count(*) FROM calendar WHERE kind = 'close' AND due > %d", time.Now().Add(32*24*time.Hour).UnixMicro())
	m.await(m.t, "closed month", func() bool { return m.count(m.t, next) > 0 })
	list, err := m.client().Invoices(m.t.Context(), devOrg)
	if err != nil || len(list) == 0 {
		m.t.Fatal(list, err)
	}
	for _, i := range list {
		whole := m.verified(i.Number)
		sum += whole
	}
	return sum
}

func (m *metered) verified(number string) (sum int64) {
	m.t.Helper()
	i, err := m.client().Invoice(m.t.Context(), number)
	if err != nil {
		m.t.Fatal(err)
	}
	for _, l := range i.Lines {
		if l.InstanceID == m.instance && l.Metric == "transactions" {
			sum += whole(m.t, l.Quantity)
		}
	}
	if v, err := m.client().VerifyInvoice(m.t.Context(), number); err != nil || !v.OK {
		m.t.Errorf("%s does not agree with what was stored: %+v %v", number, v, err)
	}
	return sum
}

// TestWhatIsUsedIsChargedOnce: an app makes a known number of transactions while the market is killed, its server ends and starts again, the
// server's counters are reset and the server crashes. What is told, what is in the windows and what is on the invoice is one number: what the
// server counted. What the server itself lost with a reset or a crash before it was read is nobody's.
func TestWhatIsUsedIsChargedOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers and processes")
	}
	t.Parallel()
	m := startMetered(t)
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
