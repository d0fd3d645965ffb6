// Package local starts real servers from programs found on this machine, on free loopback ports, in folders of their own.
//
// It owns finding programs, users, folders, ports and the life of the processes it started. It knows nothing of drivers.
package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// ErrNoProgram is wrapped by every start of a server whose program is not on this machine; the text says which package brings it.
var ErrNoProgram = errors.New("program not found")

// Server is a running server process. It dies with this process, whatever ends it.
type Server struct {
	Kind     string
	Address  string // host:port
	User     string // administrator
	Password string
	Dir      string
	stop     func() error
}

// Stop ends the process and waits for it. The folder stays.
func (s *Server) Stop() error { return s.stop() }

// FreePort gives a loopback port that was free a moment ago.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// account is the non-root user that servers run as when we are root; nil when we are not.
func account() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
		}
	}
	return nil, errors.New("no user postgres or nobody to run servers as")
}

// process starts a command that dies with us. The kernel ties a parent-death signal to the thread that forked, so one thread stays for the child's life.
func process(cmd *exec.Cmd, stopSignal syscall.Signal) (stop func() error, dead <-chan struct{}, err error) {
	started := make(chan error)
	done := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = &syscall.SysProcAttr{}
		}
		cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
		cmd.SysProcAttr.Setpgid = true
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(done)
		}
	}()
	if err := <-started; err != nil {
		return nil, nil, err
	}
	var once sync.Once
	return func() error {
		once.Do(func() { _ = cmd.Process.Signal(stopSignal) })
		select {
		case <-done:
			return nil
		case <-time.After(10 * time.Second):
			_ = cmd.Process.Kill()
			<-done
			return fmt.Errorf("%s did not stop in 10 s and was killed", filepath.Base(cmd.Path))
		}
	}, done, nil
}

// PostgreSQL initialises dir when it is empty and starts a server on it. quick turns durability off, for tests.
func PostgreSQL(ctx context.Context, dir, password string, quick bool) (*Server, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	cred, err := account()
	if err != nil {
		return nil, err
	}
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.Dir, c.Env = dir, []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
		c.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
		return c
	}
	data := filepath.Join(dir, "data")
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err != nil {
		if cred != nil {
			if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
				return nil, err
			}
		}
		pw := filepath.Join(dir, "pw")
		if err := os.WriteFile(pw, []byte(password), 0o600); err != nil {
			return nil, err
		}
		defer os.Remove(pw)
		if cred != nil {
			_ = os.Chown(pw, int(cred.Uid), int(cred.Gid))
		}
		if out, err := run("initdb", "-D", data, "-U", "sutler", "--pwfile="+pw, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput(); err != nil {
			return nil, fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
		}
	}
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	args := []string{"-D", data, "-p", strconv.Itoa(port), "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"}
	if quick {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	cmd := run("postgres", args...)
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	stop, dead, err := process(cmd, syscall.SIGINT)
	if err != nil {
		return nil, err
	}
	s := &Server{Kind: "postgresql", Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), User: "sutler", Password: password, Dir: dir, stop: stop}
	for {
		c := run("pg_isready", "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-q")
		if c.Run() == nil {
			return s, nil
		}
		select {
		case <-dead:
			return nil, fmt.Errorf("postgres ended at its start; see %s", filepath.Join(dir, "log"))
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), stop())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func postgresBin() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	if p, err := exec.LookPath("postgres"); err == nil {
		return filepath.Dir(p), nil
	}
	return "", fmt.Errorf("postgres: %w: install the Debian package postgresql", ErrNoProgram)
}
