package main

import (
	"database/sql"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/web/client"
)

// metered is a market whose use of one instance is looked at: by what its backend shows, by windows, by what is told and by what is charged.
type metered struct {
	site
	*process
	t                *testing.T
	instance, metric string       // the id, and the counter that is looked at
	shown            func() int64 // what the backend itself has counted for the instance since it began to count
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
	rows, err := db.QueryContext(m.t.Context(), "SELECT at, value FROM usage_events WHERE metric = $1 ORDER BY at", m.metric)
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
			if u.InstanceID == m.instance && u.Metric == m.metric {
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

// invoiced moves the market's clock behind the month's end while the market is down, and adds up what all invoices charge.
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
		sum += m.verified(i.Number)
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
		if l.InstanceID == m.instance && l.Metric == m.metric {
			sum += whole(m.t, l.Quantity)
		}
	}
	if v, err := m.client().VerifyInvoice(m.t.Context(), number); err != nil || !v.OK {
		m.t.Errorf("%s does not agree with what was stored: %+v %v", number, v, err)
	}
	return sum
}
