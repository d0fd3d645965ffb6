package local

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// beat is the pause between two questions to a server that is starting or stopping.
const beat = 20 * time.Millisecond

// cluster is a PostgreSQL data folder and what is needed to run programs on it.
type cluster struct {
	bin, dir, data string
	cred           *syscall.Credential
}

// PostgreSQL initialises dir when it is empty and starts a server on it, on the port it had before when that is free. It returns when
// the server answers. quick turns durability off, for tests. Errors: ErrNoProgram; a server that ended at its start, with the last
// line of its log; ctx's end.
func PostgreSQL(ctx context.Context, dir, password string, quick bool) (*Server, error) {
	path, err := find("postgresql")
	if err != nil {
		return nil, err
	}
	cred, err := account()
	if err != nil {
		return nil, err
	}
	c := cluster{bin: filepath.Dir(path), cred: cred}
	if c.dir, err = home(dir, cred); err != nil {
		return nil, err
	}
	c.data = filepath.Join(c.dir, "data")
	if err := c.initialise(ctx, password); err != nil {
		return nil, err
	}
	if err := c.awaitPredecessor(ctx); err != nil {
		return nil, err
	}
	return c.start(ctx, password, quick)
}

func (c cluster) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, name), args...)
	cmd.Dir, cmd.Env = c.dir, []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.cred}
	return cmd
}

// initialise makes the data folder. It is made beside its place and moved there, so that a process killed meanwhile leaves no half of one.
func (c cluster) initialise(ctx context.Context, password string) error {
	if _, err := os.Stat(filepath.Join(c.data, "PG_VERSION")); err == nil {
		return nil
	}
	making := c.data + ".new"
	if err := os.RemoveAll(making); err != nil {
		return err
	}
	pw := filepath.Join(c.dir, "pw")
	if err := os.WriteFile(pw, []byte(password), 0o600); err != nil {
		return err
	}
	defer os.Remove(pw)
	if c.cred != nil {
		if err := os.Chown(pw, int(c.cred.Uid), int(c.cred.Gid)); err != nil {
			return err
		}
	}
	out, err := c.command(ctx, "initdb", "-D", making, "-U", "sutler", "--pwfile="+pw, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(out))
	}
	return os.Rename(making, c.data)
}

// awaitPredecessor waits for a server on the same folder that is still going down: one whose parent was killed got its signal a
// moment ago.
func (c cluster) awaitPredecessor(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		pid := c.running()
		if pid == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another PostgreSQL server (pid %d) runs on %s: stop it first", pid, c.data)
		case <-time.After(beat):
		}
	}
}

// running gives the pid of a live server on the data folder, or 0.
func (c cluster) running() int {
	text, err := os.ReadFile(filepath.Join(c.data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil {
		return 0
	}
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !bytes.Contains(args, []byte(c.data)) {
		return 0 // gone, or the number is somebody else's by now
	}
	return pid
}

func (c cluster) start(ctx context.Context, password string, quick bool) (*Server, error) {
	port, err := KeptPort(c.dir)
	if err != nil {
		return nil, err
	}
	args := []string{"-D", c.data, "-p", strconv.Itoa(port), "-k", "", "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"}
	if quick {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	logFile := filepath.Join(c.dir, "log")
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := c.command(context.Background(), "postgres", args...) // it outlives the start's deadline
	cmd.Stdout, cmd.Stderr = log, log
	stop, dead, err := process(cmd, syscall.SIGINT)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Kind: "postgresql", Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), User: "sutler", Password: password,
		Dir: c.dir, Log: logFile, Dead: dead, stop: stop,
	}
	return s.once(ctx, "postgres", answers)
}

// answers tells whether the server takes logins: it asks for a password instead of saying that it is starting up.
func answers(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // a connection that refuses a deadline fails below
	const startup = "\x00\x03\x00\x00user\x00sutler\x00database\x00postgres\x00\x00"
	var answer [1]byte
	if _, err := conn.Write(append([]byte{0, 0, 0, byte(len(startup) + 4)}, startup...)); err != nil {
		return false
	}
	_, err = conn.Read(answer[:])
	return err == nil && answer[0] == 'R' // 'E' is an error, such as "the database system is starting up"
}
