package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestServeStopsWithGrace: a signal ends the process with 0, and the port is free again.
func TestServeStopsWithGrace(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	eachStore(t, func(t *testing.T, store string) {
		s := newSite(t, store, "first", fakeProvider(t.TempDir()))
		p := s.run(t)
		i := s.order(t, p, "fake:sync")
		s.awaitReady(t, p, i.ID)
		if code := p.stop(t); code != 0 {
			t.Errorf("it ended with %d:\n%s", code, p.out)
		}
		if strings.Contains(p.out.String(), `"level":"ERROR"`) {
			t.Errorf("it stopped with errors:\n%s", p.out)
		}
		l, err := listen(t.Context(), strings.TrimPrefix(s.url, "http://"), "--addr")
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
	})
}

// TestServeRefusesWhatIsTaken: a second process on the port, or on the SQLite file, says who has it and changes nothing.
func TestServeRefusesWhatIsTaken(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	s := newSite(t, "sqlite://"+filepath.Join(t.TempDir(), "sutler.db"), "first", fakeProvider(t.TempDir()))
	s.run(t)
	for _, c := range []struct {
		name string
		site site
		want string
	}{{"port", s, "is in use: another process listens on"}, {"store", s.twin(t, "second"), "is in use by the process"}} {
		p := start(t, "serve", "--config", c.site.config)
		if code := p.wait(t); code != exitConflict || !strings.Contains(p.out.String(), c.want) {
			t.Errorf("%s: exit %d:\n%s", c.name, code, p.out)
		}
	}
	if !answersAt(s.url + "/readyz") {
		t.Error("the first does not answer any more")
	}
}

// TestServeListsWhatIsWrongWithItsConfiguration and takes no port for it.
func TestServeListsWhatIsWrongWithItsConfiguration(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	path := filepath.Join(t.TempDir(), "sutler.yaml")
	if err := os.WriteFile(path, []byte("stroe: x\nlisten: 8080\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve", "--config", path}, {"config", "check", path}} {
		p := start(t, args...)
		if code := p.wait(t); code != exitUsage || !strings.Contains(p.out.String(), `line 1: unknown key "stroe". Did you mean "store"?`) ||
			!strings.Contains(p.out.String(), "line 2: listen: must be host:port") {
			t.Errorf("%v: exit %d:\n%s", args, code, p.out)
		}
	}
}

// TestBootstrapLetsTheFirstOperatorInOnce: the second is refused, and no password is printed for nothing.
func TestBootstrapLetsTheFirstOperatorInOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "sutler.yaml")
	text := strings.NewReplacer("/var/lib/sutler/sutler.db", dir+"/sutler.db", "/var/lib/sutler/master.key", dir+"/master.key").Replace(goodConfig)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, "bootstrap", "--config", path, "--email", "ada@example.com")
	if code := p.wait(t); code != exitOK || !strings.Contains(p.out.String(), "ada@example.com is the market's operator") {
		t.Fatalf("exit %d:\n%s", code, p.out)
	}
	lines := strings.Split(strings.TrimSpace(p.out.String()), "\n")
	if password := lines[len(lines)-1]; len(password) < 20 {
		t.Errorf("the password is %q", password)
	}
	p = start(t, "bootstrap", "--config", path, "--email", "eve@example.com")
	if code := p.wait(t); code != exitConflict || strings.Contains(p.out.String(), "shown once") {
		t.Errorf("the second time: exit %d:\n%s", code, p.out)
	}
	p = start(t, "bootstrap", "--config", path)
	if code := p.wait(t); code != exitUsage {
		t.Errorf("without an email: exit %d:\n%s", code, p.out)
	}
}

// TestDevShowsItsDoors: every door of the one port answers.
func TestDevShowsItsDoors(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	_, about := runDevMarket(t, t.TempDir())
	for path, want := range map[string]int{
		"/healthz": 200, "/readyz": 200, "/signin": 200, "/oidc/.well-known/openid-configuration": 200, "/v2/catalog": 401,
		"/api/v1/marketplace": 401, "/metrics": 401, "/api/openapi.json": 200,
	} {
		resp, err := http.Get(about.URL + path) //nolint:noctx // the market is on this machine
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s gives %d, want %d", path, resp.StatusCode, want)
		}
	}
}
