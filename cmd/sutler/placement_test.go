package main

import (
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// region is one of two PostgreSQL servers that one market sells.
type region struct {
	*local.Server
	made []string // words that apps wrote into instances that shall be here
}

func newRegion(t *testing.T) *region {
	t.Helper()
	if err := local.Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
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
	return &region{Server: s}
}

func (r *region) open(t *testing.T, database string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", fmt.Sprintf("postgres://sutler:admin@%s/%s?sslmode=disable", r.Address, database))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// words are what the instances' databases on this server really hold.
func (r *region) words(t *testing.T) (list []string) {
	t.Helper()
	names, err := r.open(t, "postgres").QueryContext(t.Context(), `SELECT datname FROM pg_database WHERE datname ~ '^db[a-z2-7]{26}$'`)
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	for names.Next() {
		var name, word string
		if err := names.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if err := r.open(t, name).QueryRowContext(t.Context(), "SELECT word FROM words").Scan(&word); err != nil {
			t.Fatal(err)
		}
		list = append(list, word)
	}
	if err := names.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

// soldIn is a provider's lines in the configuration.
func (r *region) soldIn(name string, capacity int, amount string) string {
	return fmt.Sprintf(`- name: pg-%[1]s
  driver: postgres
  region: %[1]s
  settings: {admin: 'postgres://sutler:admin@%[2]s/postgres?sslmode=disable', tls: disable}
  offerings:
  - offering: postgresql
    name: postgresql-%[1]s
    plans: [{name: small, capacity: %[3]d, rates: [{name: Base price, model: fixed, amount: "%[4]s", per: month, hours: 672}]}]
`, name, r.Address, capacity, amount)
}

// TestTwoServersOfOneKind: a market sells PostgreSQL servers in two regions. The region decides, then who has room, then the price; a cordon is
// heeded; each time it is said why; and what apps write is on the server that was chosen.
func TestTwoServersOfOneKind(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers and processes")
	}
	t.Parallel()
	west, east := newRegion(t), newRegion(t)
	s := newSite(t, dbtest.SQLite(t), "first", west.soldIn("west", 3, "9.00")+east.soldIn("east", 1, "5.00"))
	p := s.run(t)
	app, err := s.client().CreateApp(t.Context(), client.NewApp{Name: "shop", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	p.await(t, "offerings of both", func() bool {
		list, err := s.client().Market(t.Context())
		return err == nil && len(list) == 2 && list[0].Status == "up" && list[1].Status == "up"
	})
	for _, c := range []struct {
		what   string
		region string
		at     *region
		why    string // a part of it
	}{
		{"the region decides, though it is dearer", "west", west, "in west, 9.00 EUR a month: the only one that fits"},
		{"the price decides", "", east, "the cheapest of 2"},
		{"the cheaper one is full", "", west, "the cheapest of 1 that take new instances (2 fit)"},
	} {
		i, err := s.client().CreateInstance(t.Context(), client.NewInstance{Want: "postgresql", Region: c.region, Org: devOrg, Project: devProject})
		if err != nil {
			t.Fatal(c.what, err)
		}
		t.Logf("%s: %s: %s", c.what, i.Provider, i.Why)
		if !strings.Contains(i.Why, c.why) {
			t.Errorf("%s: it says %q", c.what, i.Why)
		}
		s.writes(t, p, i.ID, app.ID, c.what)
		c.at.made = append(c.at.made, c.what)
	}
	order := client.NewInstance{Want: "postgresql", Region: "west", Org: devOrg, Project: devProject}
	if err := s.client().CordonProvider(t.Context(), "pg-west", "the house is being moved"); err != nil {
		t.Fatal(err)
	}
	_, err = s.client().CreateInstance(t.Context(), order)
	if err == nil || !strings.Contains(err.Error(), "the house is being moved") {
		t.Errorf("a cordoned provider was asked, or it was not said: %v", err)
	}
	t.Log(err)
	if err := s.client().UncordonProvider(t.Context(), "pg-west"); err != nil {
		t.Fatal(err)
	}
	i, err := s.client().CreateInstance(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	s.writes(t, p, i.ID, app.ID, "the cordon is lifted")
	west.made = append(west.made, "the cordon is lifted")
	for _, r := range []*region{west, east} {
		sameWords(t, r.words(t), r.made)
	}
}

// writes binds an instance, as soon as it is ready, to the app, and lets the app write a word.
func (s site) writes(t *testing.T, p *process, instance, app, word string) {
	t.Helper()
	s.awaitReady(t, p, instance)
	b, err := s.client().Bind(t.Context(), client.NewBinding{Instance: instance, App: app})
	if err != nil {
		t.Fatal(err)
	}
	p.await(t, "binding", func() bool {
		now, err := s.client().Credentials(t.Context(), b.ID)
		if err != nil || now.State != "ready" {
			return false
		}
		return postgresBackend{}.keep(now.Credentials, word) == nil
	})
}

func sameWords(t *testing.T, got, want []string) {
	t.Helper()
	has := map[string]int{}
	for _, w := range got {
		has[w]++
	}
	for _, w := range want {
		has[w]--
	}
	for w, n := range has {
		if n != 0 {
			t.Errorf("%q is %d times too often on the server", w, n)
		}
	}
}
