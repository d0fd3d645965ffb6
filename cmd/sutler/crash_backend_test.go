package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/providers/fake"
)

// backend is what a crash case looks at behind the market's back.
type backend interface {
	objects(t *testing.T) []string          // everything that instances and bindings have left there
	login(credentials map[string]any) error // nil when they let in
}

type fakeBackend struct{ *fake.Driver }

func (b fakeBackend) objects(t *testing.T) []string {
	t.Helper()
	list, err := b.Leftovers()
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func (b fakeBackend) login(credentials map[string]any) error {
	s, err := b.Connect(credentials)
	if err == nil {
		s.Close()
	}
	return err
}

type postgresBackend struct{ admin string }

func (b postgresBackend) objects(t *testing.T) (list []string) {
	t.Helper()
	db, err := sql.Open("pgx", b.admin)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT 'database ' || datname FROM pg_database WHERE datname ~ '^db[a-z2-7]{26}$' UNION ALL
 SELECT 'role ' || rolname FROM pg_roles WHERE rolname ~ '^(gr|u)[a-z2-7]{26}$' ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		list = append(list, name)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func (postgresBackend) login(credentials map[string]any) error {
	db, err := sql.Open("pgx", fmt.Sprint(credentials["uri"]))
	if err != nil {
		return err
	}
	defer db.Close()
	return db.Ping() //nolint:noctx // a test's look
}

type natsBackend struct{ dir string }

func (b natsBackend) objects(t *testing.T) (list []string) {
	t.Helper()
	for _, sub := range []string{"accounts", "logins"} {
		files, err := os.ReadDir(filepath.Join(b.dir, sub))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		for _, f := range files {
			list = append(list, sub+" "+f.Name())
		}
	}
	slices.Sort(list)
	return list
}

func (natsBackend) login(credentials map[string]any) error {
	c, err := natsgo.Connect(fmt.Sprint(credentials["uri"]), natsgo.NoReconnect(), natsgo.Timeout(5*time.Second))
	if err == nil {
		c.Close()
	}
	return err
}

// behind gives a driver's backend and the lines of configuration that sell on it.
func behind(t *testing.T, driver string) (b backend, providers string) {
	t.Helper()
	switch driver {
	case "fake":
		dir := t.TempDir()
		return fakeBackend{fake.New(fake.Options{Dir: dir})}, fakeProvider(dir)
	case "postgres":
		admin := dbtest.Postgres(t)
		return postgresBackend{admin}, fmt.Sprintf("- name: pg\n  driver: postgres\n  region: eu\n  settings: {admin: '%s', tls: disable}\n", admin)
	}
	dir := t.TempDir()
	return natsBackend{dir}, fmt.Sprintf("- name: messages\n  driver: nats\n  region: eu\n  settings: {embedded: true, dir: %s}\n", dir)
}
