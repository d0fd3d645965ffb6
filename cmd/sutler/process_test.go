package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/failpoint"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// insideVariable tells a test binary that runs in a network of its own where the program is.
const insideVariable = "SUTLER_TEST_INSIDE"

// program is the real binary, built once for all tests that run it as a process, with the guestbook beside it.
var program = sync.OnceValues(func() (string, error) {
	if path := os.Getenv(insideVariable); path != "" {
		return path, nil
	}
	dir, err := os.MkdirTemp("", "sutler-test-")
	if err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-o", dir+"/", ".", "../../examples/guestbook").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return filepath.Join(dir, "sutler"), nil
})

// process is a running sutler.
type process struct {
	cmd  *exec.Cmd
	out  *output
	dead chan struct{}
}

// output is a process's stderr, readable while it writes.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) { o.mu.Lock(); defer o.mu.Unlock(); return o.b.Write(p) }

func (o *output) String() string { o.mu.Lock(); defer o.mu.Unlock(); return o.b.String() }

// start runs sutler until it ends or the test does; then its stderr is shown when the test failed.
func start(t *testing.T, args ...string) *process { t.Helper(); return startWith(t, "", args...) }

// startWith is start with failpoints armed.
func startWith(t *testing.T, failpoints string, args ...string) *process {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	return startProgram(t, path, failpoints, args...)
}

// startProgram starts the program at path.
func startProgram(t *testing.T, path, failpoints string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(path, args...), out: new(output), dead: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.Env = append(os.Environ(), "NO_COLOR=1", failpoint.Variable+"="+failpoints)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.dead) }()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%v said:\n%s", args, p.out)
		}
	})
	return p
}

// kill ends the process as a power cut would, and waits until it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Signal(syscall.SIGKILL)
	<-p.dead
}

// stop asks the process to end and gives its exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	return p.wait(t)
}

func (p *process) wait(t *testing.T) int {
	t.Helper()
	select {
	case <-p.dead:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(30 * time.Second):
		t.Fatalf("the process did not end:\n%s", p.out)
	}
	return -1
}

// await asks until ok holds, the process has died or a minute has passed.
func (p *process) await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	for !ok() {
		select {
		case <-p.dead:
			t.Fatalf("the process ended while waiting for %s:\n%s", what, p.out)
		case <-deadline:
			t.Fatalf("no %s within a minute:\n%s", what, p.out)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// site is a market of `sutler serve`, whose tenant is acme/shop and whose operator holds token.
type site struct {
	config, url, token string
	store              string
}

// newSite writes a configuration with these providers and settles a tenant in the store.
func newSite(t *testing.T, store, node, providers string) site {
	t.Helper()
	port, err := local.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	s := site{config: filepath.Join(t.TempDir(), "sutler.yaml"), url: fmt.Sprintf("http://127.0.0.1:%d", port), store: store}
	s.write(t, fmt.Sprintf("store: ${SUTLER_TEST_STORE}\nlisten: 127.0.0.1:%d\npublic_url: %s\nmaster_key: %s\nnode: %s\nseller: {name: Test, country: DE}\nproviders:\n%s",
		port, s.url, filepath.Join(filepath.Dir(s.config), "master.key"), node, providers))
	s.token = s.settle(t)
	return s
}

func (s site) write(t *testing.T, text string) {
	t.Helper()
	if err := os.WriteFile(s.config, []byte(strings.Replace(text, "${SUTLER_TEST_STORE}", s.store, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}

// twin is a second process of the same market: another node, another port.
func (s site) twin(t *testing.T, node string) site {
	t.Helper()
	port, err := local.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	other := s
	other.config, other.url = s.config+"."+node, fmt.Sprintf("http://127.0.0.1:%d", port)
	old := strings.TrimPrefix(s.url, "http://")
	changed := strings.ReplaceAll(string(text), old, fmt.Sprintf("127.0.0.1:%d", port))
	changed = strings.Replace(changed, "node: first", "node: "+node, 1)
	other.write(t, changed)
	return other
}

// settle makes the tenant and the operator's token before the market runs, as a SQLite store belongs to one process.
func (s site) settle(t *testing.T) string {
	t.Helper()
	c, _, err := loadConfig(s.config)
	if err != nil {
		t.Fatal(err)
	}
	n := &node{config: c, log: slog.New(slog.DiscardHandler)}
	if n.ground, err = openGround(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	defer n.close()
	if err := n.openRooms(t.Context()); err != nil {
		t.Fatal(err)
	}
	secrets := devSecrets{Passwords: map[string]string{}}
	for _, p := range append(demoPeople(), demoPerson{Email: devHuman}) {
		secrets.Passwords[p.Email] = "correct horse battery staple"
	}
	if _, err := newDemo(n.directory, n.ledger, &secrets).settle(t.Context()); err != nil {
		t.Fatal(err)
	}
	return secrets.Token
}

// run starts the market and waits until it answers.
func (s site) run(t *testing.T) *process { t.Helper(); return s.runWith(t, "") }

// runWith is run with failpoints armed.
func (s site) runWith(t *testing.T, failpoints string) *process {
	t.Helper()
	p := startWith(t, failpoints, "serve", "--config", s.config)
	p.await(t, "ready market", func() bool { return answersAt(s.url + "/readyz") })
	return p
}

func answersAt(url string) bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

func (s site) client() *client.Client { return client.New(s.url, s.token) }

// order asks for an instance once its provider answers, and gives it as accepted.
func (s site) order(t *testing.T, p *process, want string) client.Ordered {
	t.Helper()
	var made client.Ordered
	p.await(t, "accepted order of "+want, func() bool {
		var err error
		made, err = s.client().CreateInstance(t.Context(), client.NewInstance{Want: want, Org: devOrg, Project: devProject, Name: "thing"})
		if e, ok := errors.AsType[*client.Error](err); err != nil && (!ok || e.Status != http.StatusServiceUnavailable) {
			t.Fatal(err)
		}
		return err == nil
	})
	return made
}

// awaitReady waits until the instance is ready; one that failed fails the test.
func (s site) awaitReady(t *testing.T, p *process, id string) {
	t.Helper()
	p.await(t, "ready instance", func() bool {
		i, err := s.client().Instance(t.Context(), client.Place{Org: devOrg, Project: devProject}, id)
		if err != nil {
			t.Fatal(err)
		}
		if i.State == "failed" {
			t.Fatalf("the instance failed: %s", i.Note)
		}
		return i.State == "ready"
	})
}

// count runs a counting query on the store, beside the market.
func (s site) count(t *testing.T, query string) (n int) {
	t.Helper()
	driver, dsn := "pgx", s.store
	if path, ok := strings.CutPrefix(s.store, "sqlite://"); ok {
		driver, dsn = "sqlite", "file:"+path+"?mode=ro"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// eachStore runs f on a store of either kind.
func eachStore(t *testing.T, f func(t *testing.T, store string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, dbtest.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, dbtest.Postgres(t)) })
}
