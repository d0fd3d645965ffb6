package local

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// TestMain lets the test binary play the process that gets killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LOCAL_TEST_SERVE"); dir != "" {
		s, err := PostgreSQL(context.Background(), dir, "secret", true)
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		fmt.Println(s.Address)
		select {}
	}
	if dir := os.Getenv("LOCAL_TEST_FLEET"); dir != "" {
		playBroker(dir)
	}
	os.Exit(m.Run())
}

func folder(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	dir, err := Temporary("test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestPostgreSQLStartsStopsAndStartsAgain(t *testing.T) {
	dir := folder(t)
	first, err := PostgreSQL(t.Context(), dir, "secret", true)
	if err != nil {
		t.Fatal(err)
	}
	if !answers(first.Address) {
		t.Error("it was called ready and does not answer")
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	if answers(first.Address) {
		t.Error("it answers after its end")
	}
	second, err := PostgreSQL(t.Context(), dir, "secret", true)
	if err != nil {
		t.Fatal(err)
	}
	defer second.Stop()
	if second.Address != first.Address {
		t.Errorf("moved from %s to %s", first.Address, second.Address)
	}
}

func TestServerDiesWithItsParentAndItsFolderServesAgain(t *testing.T) {
	dir := folder(t)
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "LOCAL_TEST_SERVE="+dir)
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil || strings.HasPrefix(line, "error:") {
		t.Fatalf("%q %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = parent.Wait()
	s, err := PostgreSQL(t.Context(), dir, "secret", true) // at once: the old server may still be going down
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestClosedParentMovesTheFolder(t *testing.T) {
	if os.Getuid() != 0 {
		t.Log("only root starts servers as somebody else; nothing to move")
		return
	}
	closed := filepath.Join(t.TempDir(), "closed")
	dir := filepath.Join(closed, "pg")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	folder(t)
	s, err := PostgreSQL(t.Context(), dir, "secret", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(s.Dir) })
	defer s.Stop()
	where, _ := os.ReadFile(filepath.Join(dir, "location"))
	if s.Dir == dir || strings.TrimSpace(string(where)) != s.Dir {
		t.Errorf("served from %s, location says %q", s.Dir, where)
	}
	if again, err := home(dir, &syscall.Credential{Uid: 12345}); err == nil {
		t.Errorf("took over %s, which belongs to somebody else", again)
	}
}

func TestBrokenFolderSaysWhy(t *testing.T) {
	dir := folder(t)
	if err := os.MkdirAll(filepath.Join(dir, "data"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "data", "PG_VERSION"), []byte("1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := PostgreSQL(t.Context(), dir, "secret", true); err == nil || !strings.Contains(err.Error(), "ended at its start") {
		t.Errorf("got %v", err)
	}
}

func TestMissingProgramNamesItsPackage(t *testing.T) {
	t.Setenv("PATH", "")
	if err := Found("nosuchkind"); !errors.Is(err, ErrNoProgram) {
		t.Errorf("got %v", err)
	}
	if p, _ := programOf("postgresql"); p.pkg != "postgresql" {
		t.Errorf("package %q", p.pkg)
	}
	if version("/usr/lib/postgresql/15/bin/postgres") <= version("/usr/lib/postgresql/9.6/bin/postgres") {
		t.Error("15 is not newer than 9.6")
	}
}

func TestKeptPort(t *testing.T) {
	dir := t.TempDir()
	a, err := KeptPort(dir)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := KeptPort(dir); b != a {
		t.Errorf("%d, then %d", a, b)
	}
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(a)))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if c, _ := KeptPort(dir); c == a {
		t.Error("gave a port that is in use")
	}
}

func TestSweep(t *testing.T) {
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	stale, err := os.MkdirTemp("", fmt.Sprintf("sutler-local-x-%d-", gone.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	mine, err := Temporary("mine")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(mine) })
	if _, err := os.Stat(stale); err == nil {
		t.Error("a folder of a process that has gone stays")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error("a living process's folder was swept")
	}
}

func TestStartTime(t *testing.T) {
	dir := folder(t)
	began := time.Now()
	s, err := PostgreSQL(t.Context(), dir, "secret", true)
	if err != nil {
		t.Fatal(err)
	}
	fresh := time.Since(began)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	began = time.Now()
	if s, err = PostgreSQL(t.Context(), dir, "secret", true); err != nil {
		t.Fatal(err)
	}
	t.Logf("first start %s, second %s", fresh, time.Since(began))
	if text, _ := os.ReadFile(s.Log); !bytes.Contains(text, []byte("ready to accept connections")) {
		t.Error("its log is not where it says")
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
}

func TestBackground(t *testing.T) {
	dir := folder(t)
	l := Background(t.Context(), "PostgreSQL", slog.New(slog.DiscardHandler), func(ctx context.Context) (*Server, error) { return PostgreSQL(ctx, dir, "se'cr/et", true) })
	if _, err := l.Server(); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "still starting") {
		t.Errorf("at once: %v", err)
	}
	first := await(t, l)
	if !strings.HasPrefix(first.URL(), "postgres://sutler:se%27cr%2Fet@127.0.0.1:") {
		t.Errorf("URL %s", first.URL())
	}
	pid, err := os.ReadFile(filepath.Join(first.Dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(strings.SplitN(string(pid), "\n", 2)[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(number, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	<-first.Dead
	if second := awaitOther(t, l, first); second.Address != first.Address {
		t.Errorf("it came back at %s instead of %s", second.Address, first.Address)
	}
	l.Stop()
	if s, err := l.Server(); err == nil || answers(first.Address) {
		t.Errorf("after Stop: %v", s)
	}
}

func await(t *testing.T, l *Later) *Server { t.Helper(); return awaitOther(t, l, nil) }

// awaitOther waits for a running server that is not this one.
func awaitOther(t *testing.T, l *Later, not *Server) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		s, err := l.Server()
		if err == nil && s != not {
			return s
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not there: %v", err)
		case <-time.After(beat):
		}
	}
}
