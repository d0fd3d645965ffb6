package tasks_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
)

// TestMain lets this test binary be a worker process too, one that can be killed.
func TestMain(m *testing.M) {
	if dsn := os.Getenv("TASKS_TEST_STORE"); dsn != "" {
		if err := workerMain(dsn, os.Getenv("TASKS_TEST_NODE"), os.Getenv("TASKS_TEST_HANG") != ""); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// workerMain runs tasks until it is killed and tells on stdout what happens, one word a line. With hang, its handler waits for a line on stdin.
func workerMain(dsn, node string, hang bool) error {
	ctx := context.Background()
	db, err := database.Open(ctx, dsn, "NORMAL")
	if err != nil {
		return err
	}
	e := tasks.New(db, node, fmt.Sprint(os.Getpid()), 4)
	note := func(ctx context.Context, what string) error {
		return db.Tx(ctx, func(ctx context.Context) error {
			if err := tasks.Hold(ctx); err != nil {
				return err
			}
			return db.From(ctx).Exec(`INSERT INTO effects (what, fence) VALUES (?, ?)`, what, tasks.Fence(ctx)).Error
		})
	}
	tasks.Handle(e, "work", func(ctx context.Context, _ args) error {
		if err := note(ctx, "begun"); err != nil {
			return err
		}
		fmt.Println("begun")
		if hang {
			_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
			err := errors.Join(tasks.Alive(ctx), note(context.WithoutCancel(ctx), "late"))
			fmt.Println("fenced", errors.Is(err, tasks.ErrFenced))
			return err
		}
		err := note(ctx, "done")
		fmt.Println("done", err)
		return err
	})
	if err := e.Start(ctx); err != nil {
		return err
	}
	fmt.Println("ready")
	stop, cancel := signal.NotifyContext(ctx, syscall.SIGTERM)
	defer cancel()
	<-stop.Done()
	return errors.Join(e.Stop(ctx), db.Close())
}

// process is a worker that runs.
type process struct {
	*exec.Cmd
	t     *testing.T
	lines chan string
	stdin interface{ Write([]byte) (int, error) }
}

func spawn(t *testing.T, dsn, node string, hang bool) *process {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), "TASKS_TEST_STORE="+dsn, "TASKS_TEST_NODE="+node)
	if hang {
		c.Env = append(c.Env, "TASKS_TEST_HANG=1")
	}
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: c, t: t, lines: make(chan string, 100), stdin: in}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	p.expect("ready")
	return p
}

func (p *process) expect(want string) {
	p.t.Helper()
	if got := next(p.t, p.lines); !strings.HasPrefix(got, want) {
		p.t.Fatalf("the worker said %q, not %q", got, want)
	}
}

func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	if s == syscall.SIGKILL {
		_ = p.Wait() // its error says that it was killed
	}
}

// prepare makes the workers' table and one task.
func prepare(t *testing.T, dsn string) {
	t.Helper()
	withStore(t, dsn, func(db *database.DB) {
		err := db.Tx(t.Context(), func(ctx context.Context) error {
			if err := db.From(ctx).Exec(`CREATE TABLE effects (what TEXT, fence BIGINT)`).Error; err != nil {
				return err
			}
			return tasks.New(db, "test", "1", 1).Enqueue(ctx, "work", "k", args{"k"}, "")
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}

func withStore(t *testing.T, dsn string, f func(*database.DB)) {
	t.Helper()
	db, err := database.Open(t.Context(), dsn, "NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	f(db)
}

// effects gives what was written, in order of fences, and waits until no task is left.
func effects(t *testing.T, dsn string) (all []string) {
	t.Helper()
	withStore(t, dsn, func(db *database.DB) {
		tick := time.NewTicker(10 * time.Millisecond)
		defer tick.Stop()
		left := int64(1)
		for end := time.Now().Add(patience); left > 0 && time.Now().Before(end); <-tick.C {
			if err := db.From(t.Context()).Raw(`SELECT count(*) FROM tasks`).Scan(&left).Error; err != nil {
				t.Fatal(err)
			}
			if db.SQLite {
				break // nobody else works on it
			}
		}
		if err := db.From(t.Context()).Raw(`SELECT what FROM effects ORDER BY fence, what`).Scan(&all).Error; err != nil || left != 0 {
			t.Fatal(left, err)
		}
	})
	return all
}

func TestKilledWorkIsResumed(t *testing.T) {
	for name, store := range dbtest.Migrated() {
		t.Run(name, func(t *testing.T) {
			dsn := store(t)
			prepare(t, dsn)
			first := spawn(t, dsn, "n", true)
			first.expect("begun")
			first.signal(syscall.SIGKILL)
			started := time.Now()
			second := spawn(t, dsn, "n", false)
			second.expect("begun")
			if took := time.Since(started); took > 2*time.Second {
				t.Errorf("resumed after %v", took)
			}
			second.expect("done <nil>")
			if name == "sqlite" {
				if _, err := database.Open(t.Context(), dsn, "NORMAL"); !errors.Is(err, fault.Conflict) {
					t.Error("two processes had one file open:", err)
				}
			}
			second.signal(syscall.SIGTERM)
			if err := second.Wait(); err != nil {
				t.Error("a graceful end:", err)
			}
			if got := fmt.Sprint(effects(t, dsn)); got != "[begun begun done]" {
				t.Error(got)
			}
		})
	}
}

func TestAnotherProcessTakesOver(t *testing.T) {
	for name, c := range map[string]struct {
		stop syscall.Signal
		want string
	}{"killed": {syscall.SIGKILL, "[begun begun done]"}, "frozen": {syscall.SIGSTOP, "[begun begun done]"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var dsn string
			for n, store := range dbtest.Migrated() {
				if n == "postgres" {
					dsn = store(t)
				}
			}
			prepare(t, dsn)
			first := spawn(t, dsn, "a", true)
			first.expect("begun")
			second := spawn(t, dsn, "b", false)
			first.signal(c.stop)
			second.expect("begun") // when the lease has run out
			second.expect("done <nil>")
			if c.stop == syscall.SIGSTOP { // wakes up and goes on where it was
				first.signal(syscall.SIGCONT)
				if _, err := first.stdin.Write([]byte("go\n")); err != nil {
					t.Fatal(err)
				}
				first.expect("fenced true")
			}
			if got := fmt.Sprint(effects(t, dsn)); got != c.want {
				t.Error(got)
			}
		})
	}
}
