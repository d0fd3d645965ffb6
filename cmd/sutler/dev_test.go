package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// runDevMarket starts `sutler dev` on dir and waits until dev.json says where it is.
func runDevMarket(t *testing.T, dir string, args ...string) (*process, devJSON) {
	t.Helper()
	p := start(t, append([]string{"dev", "--data", dir, "--addr", "127.0.0.1:0"}, args...)...)
	t.Cleanup(func() { // a root's servers live where their users may enter
		p.kill()
		sweep(dir)
	})
	var about devJSON
	p.await(t, "dev.json", func() bool {
		b, err := os.ReadFile(filepath.Join(dir, "dev.json"))
		return err == nil && json.Unmarshal(b, &about) == nil // written whole or not at all
	})
	return p, about
}

func TestDevIsReadyAndKeepsEverythingOverARestart(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "market")
	p, first := runDevMarket(t, dir, "--with-fake")
	if _, after, ok := strings.Cut(p.out.String(), "Sutler is ready ("); ok {
		t.Logf("time to ready: %s", after[:strings.Index(after, ")")])
	} else {
		t.Errorf("the banner does not say that it is ready:\n%s", p.out)
	}
	info, err := os.Stat(filepath.Join(dir, "dev.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("dev.json: mode %v, error %v", info.Mode(), err)
	}
	if first.OSB.URL != first.URL || first.OSB.Username == "" || first.OSB.Password == "" || first.Token == "" || len(first.People) != 4 {
		t.Errorf("dev.json says %+v", first)
	}
	for _, who := range first.People {
		if who.Email == "" || len(who.Password) < 12 || who.Role == "" {
			t.Errorf("a person of dev.json: %+v", who)
		}
	}
	api := client.New(first.URL, first.Token)
	made, err := api.CreateInstance(t.Context(), client.NewInstance{Want: "fake:sync", Org: devOrg, Project: devProject, Name: "kept"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := api.Operation(t.Context(), made.Operation, 0); err != nil {
		t.Fatal(err)
	}
	if code := p.stop(t); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	if _, err := os.Stat(filepath.Join(dir, "dev.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("dev.json is still there: %v", err)
	}
	_, again := runDevMarket(t, dir, "--with-fake")
	if again.Token != first.Token || again.OSB.Password != first.OSB.Password || fmt.Sprint(again.People) != fmt.Sprint(first.People) {
		t.Errorf("the restart changed the secrets:\n%+v\n%+v", first, again)
	}
	kept, err := client.New(again.URL, again.Token).Instance(t.Context(), client.Place{Org: devOrg, Project: devProject}, "kept")
	if err != nil || kept.ID != made.ID {
		t.Errorf("after the restart: %+v, %v", kept, err)
	}
}

// TestDevBackendsSurviveAKill: after kill -9 the backends stand where their credentials say.
func TestDevBackendsSurviveAKill(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	p, about := runDevMarket(t, dir)
	here := site{url: about.URL, token: about.Token}
	i := here.order(t, p, "nats:small")
	here.awaitReady(t, p, i.ID)
	if _, err := here.client().CreateApp(t.Context(), client.NewApp{Name: "web", Org: devOrg, Project: devProject}); err != nil {
		t.Fatal(err)
	}
	b, err := here.client().Bind(t.Context(), client.NewBinding{Instance: i.ID, App: "web", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	before := here.credentials(t, p, b.ID)
	p.kill()
	if err := remove(filepath.Join(dir, "dev.json")); err != nil { // so that the new one is waited for
		t.Fatal(err)
	}
	p, about = runDevMarket(t, dir)
	here = site{url: about.URL, token: about.Token}
	if after := here.credentials(t, p, b.ID); after["uri"] != before["uri"] || after["uri"] == nil {
		t.Error("the credentials changed")
	}
	conn, err := net.Dial("tcp", net.JoinHostPort(fmt.Sprint(before["host"]), fmt.Sprint(before["port"])))
	if err != nil {
		t.Fatalf("nobody listens where the credentials say: %v", err)
	}
	_ = conn.Close()
}

// TestDevKeepsRedisOverARestart: what an app wrote is there again, at the same address with the same login.
func TestDevKeepsRedisOverARestart(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	if err := local.Ensure(t.Context(), "redis"); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	p, about := runDevMarket(t, dir)
	here := site{url: about.URL, token: about.Token}
	i := here.order(t, p, "redis:dev")
	here.awaitReady(t, p, i.ID)
	if _, err := here.client().CreateApp(t.Context(), client.NewApp{Name: "web", Org: devOrg, Project: devProject}); err != nil {
		t.Fatal(err)
	}
	b, err := here.client().Bind(t.Context(), client.NewBinding{Instance: i.ID, App: "web", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	credentials := here.credentials(t, p, b.ID)
	if got := talkTo(t, credentials).say(t, "SET key value"); got != "+OK" {
		t.Fatal(got)
	}
	if code := p.stop(t); code != 0 {
		t.Errorf("it ended with %d", code)
	}
	if conn, err := net.Dial("tcp", net.JoinHostPort(fmt.Sprint(credentials["host"]), fmt.Sprint(credentials["port"]))); err == nil {
		_ = conn.Close()
		t.Error("the server outlived the market that it was attached to")
	}
	p, _ = runDevMarket(t, dir)
	address := net.JoinHostPort(fmt.Sprint(credentials["host"]), fmt.Sprint(credentials["port"]))
	p.await(t, "the server at its address", func() bool {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
	var got string
	p.await(t, "what was written", func() bool { // it says LOADING until it has read its file
		got = talkTo(t, credentials).say(t, "STRLEN key")
		return !strings.HasPrefix(got, "-LOADING")
	})
	if got != ":5" {
		t.Errorf("what was written: %s", got)
	}
}

// credentials gives those of a binding, once it is ready.
func (s site) credentials(t *testing.T, p *process, binding string) map[string]any {
	t.Helper()
	var b client.Binding
	p.await(t, "ready binding", func() bool {
		var err error
		if b, err = s.client().Binding(t.Context(), binding); err != nil {
			t.Fatal(err)
		}
		return b.State == "ready"
	})
	b, err := s.client().Credentials(t.Context(), binding)
	if err != nil {
		t.Fatal(err)
	}
	return b.Credentials
}

func TestTwoDevsOnOneFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	first, about := runDevMarket(t, dir)
	second := start(t, "dev", "--data", dir, "--addr", "127.0.0.1:0")
	if code := second.wait(t); code != exitConflict {
		t.Errorf("the second ended with %d, want %d", code, exitConflict)
	}
	want := fmt.Sprintf("is in use by process %d, at %s", first.cmd.Process.Pid, about.URL)
	if said := second.out.String(); !strings.Contains(said, want) {
		t.Errorf("the second said %q, want %q in it", said, want)
	}
	if !answersAt(about.URL + "/readyz") {
		t.Error("the first does not answer any more")
	}
}

func TestDevOnAPortInUse(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	l, err := listen(t.Context(), "127.0.0.1:0", "--addr")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	p := start(t, "dev", "--data", dir, "--addr", l.Addr().String())
	if code := p.wait(t); code != exitConflict {
		t.Errorf("it ended with %d, want %d", code, exitConflict)
	}
	if said := p.out.String(); !strings.Contains(said, "in use") || !strings.Contains(said, "--addr") {
		t.Errorf("it said %q", said)
	}
	if _, err := os.Stat(filepath.Join(dir, "sutler.db")); !errors.Is(err, os.ErrNotExist) {
		t.Error("it made a store all the same")
	}
}

func TestDevRefusesDataOfANewerVersion(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	p, _ := runDevMarket(t, dir)
	p.stop(t)
	db, err := database.Open(t.Context(), "sqlite://"+filepath.Join(dir, "sutler.db"), "FULL")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.W.ExecContext(t.Context(), "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, 1); INSERT INTO contracts (version) VALUES (99999)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	p = start(t, "dev", "--data", dir, "--addr", "127.0.0.1:0")
	if code := p.wait(t); code != exitConflict {
		t.Errorf("it ended with %d, want %d", code, exitConflict)
	}
	if said := p.out.String(); !strings.Contains(said, "newer") {
		t.Errorf("it said %q", said)
	}
}
