package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/sutlerhq/sutler/providers/local"
)

// pg is this test binary's PostgreSQL server.
type pg struct {
	address string
	admin   *sql.DB
	number  atomic.Int64
	model   func() error // makes the template database, once
	life    io.Closer    // closed by the kernel when we end; collected earlier it would end the server's folder
}

const model = "model"

var server = sync.OnceValues(startServer)

func startServer() (*pg, error) {
	dir, err := os.MkdirTemp("", "sutler-test-pg-")
	if err != nil {
		return nil, err
	}
	life, err := removeWhenWeEnd(dir)
	if err != nil {
		return nil, err
	}
	s, err := local.PostgreSQL(context.Background(), dir, "test", true)
	if err != nil {
		return nil, err
	}
	p := &pg{address: "postgres://sutler:test@" + s.Address + "/", life: life}
	if p.admin, err = sql.Open("pgx", p.address+"postgres"); err != nil {
		return nil, err
	}
	p.model = sync.OnceValue(func() error {
		if _, err := p.admin.Exec("CREATE DATABASE " + model); err != nil {
			return err
		}
		return migrate(p.address + model)
	})
	return p, nil
}

// removeWhenWeEnd leaves a shell behind that waits until this process is gone, whatever ends it, and removes the folder: a test binary
// has no hook at its end, and none at all when it is killed. The server itself dies with this process.
func removeWhenWeEnd(dir string) (life io.Closer, err error) {
	c := exec.Command("/bin/sh", "-c", `read -r _; for i in 1 2 3 4 5; do rm -rf -- "$0" 2>/dev/null && exit; sleep 1; done`, dir)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is not for it
	if life, err = c.StdinPipe(); err != nil {          // never written: it ends when we do
		return nil, err
	}
	return life, c.Start()
}

// Postgres gives the address of a new empty database on this test binary's PostgreSQL server. It is dropped when the test ends.
func Postgres(t testing.TB) string {
	t.Helper()
	return running(t).create(t, "template0")
}

func migratedPostgres(t testing.TB) string {
	t.Helper()
	p := running(t)
	if err := p.model(); err != nil {
		t.Fatal(err)
	}
	return p.create(t, model)
}

func running(t testing.TB) *pg {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	p, err := server()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *pg) create(t testing.TB, from string) string {
	t.Helper()
	name := fmt.Sprintf("t%d", p.number.Add(1))
	// Copying files is faster than writing each page to the log here, where nothing is ever recovered.
	if _, err := p.admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + from + " STRATEGY file_copy"); err != nil {
		if !strings.Contains(err.Error(), "STRATEGY") && !strings.Contains(err.Error(), "strategy") {
			t.Fatal(err)
		}
		if _, err = p.admin.Exec("CREATE DATABASE " + name + " TEMPLATE " + from); err != nil { // before PostgreSQL 15
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if _, err := p.admin.Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	return p.address + name
}
