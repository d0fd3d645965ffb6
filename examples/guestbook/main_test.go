package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/sutlerhq/sutler/providers/local"
)

func TestGuestbookSignsWhatItsEnvironmentNames(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers")
	}
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	ns.Start()
	t.Cleanup(ns.Shutdown)
	dir, err := os.MkdirTemp("", "guestbook-") // not t.TempDir: a root's PostgreSQL runs as somebody who may not enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	pg, err := local.PostgreSQL(t.Context(), dir, "test", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pg.Stop() })
	rd := redis(t)
	env := []string{"HOME=/", "HTTP_URL=http://x", "DATABASE_URL=postgres://sutler:test@" + pg.Address + "/postgres", "NATS_URL=" + ns.ClientURL(), "REDIS_URL=redis://guest:secret@" + rd}
	var out bytes.Buffer
	for range 2 { // an app is started more than once
		out.Reset()
		if code := run(t.Context(), env, &out); code != 0 || strings.Count(out.String(), "✓") != 3 {
			t.Fatalf("exit %d:\n%s", code, &out)
		}
	}
	if !strings.Contains(out.String(), "2 in the book") || !strings.Contains(out.String(), "revision 2") || !strings.Contains(out.String(), "2 in the list") {
		t.Errorf("the second time:\n%s", &out)
	}
}

// redis is the address of a server that lets guest in with the password secret.
func redis(t *testing.T) string {
	t.Helper()
	dir, err := local.Temporary("guestbook")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	fleet, err := local.OpenFleet(dir, local.FleetOptions{Kind: "redis"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fleet.Close)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	p, err := fleet.Make(ctx, "guests", func(p local.Place) (local.Run, error) {
		program, err := local.Program("redis")
		users := filepath.Join(p.Data, "users.acl")
		err = errors.Join(err, os.WriteFile(users, []byte("user default off\nuser guest on >secret ~* &* +@all\n"), 0o600))
		args := []string{"--port", strconv.Itoa(p.Port), "--bind", "127.0.0.1", "--save", "", "--aclfile", users}
		return local.Run{Program: program, Args: args, Stop: syscall.SIGTERM}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return p.Address
}

func TestGuestbookSaysWhatItLeavesAlone(t *testing.T) {
	var out bytes.Buffer
	run(t.Context(), []string{"MYSQL_URL=mysql://me:hush@127.0.0.1:1/db", "SITE_URL=https://example.com"}, &out)
	if text := out.String(); !strings.Contains(text, "MYSQL_URL") || !strings.Contains(text, "does not speak mysql") || strings.Contains(text, "hush") || strings.Contains(text, "SITE_URL") {
		t.Error(text)
	}
}

func TestGuestbookFailsWithoutABackend(t *testing.T) {
	for name, env := range map[string][]string{
		"none":        {"PATH=/bin", "SITE_URL=https://example.com"},
		"unreachable": {"DATABASE_URL=postgres://me:hush@127.0.0.1:1/db", "NATS_URL=nats://me:hush@127.0.0.1:1", "REDIS_URL=redis://me:hush@127.0.0.1:1"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			if code := run(t.Context(), env, &out); code != 1 {
				t.Errorf("exit %d", code)
			}
			if strings.Contains(out.String(), "hush") {
				t.Errorf("the password is in the output:\n%s", &out)
			}
		})
	}
}
