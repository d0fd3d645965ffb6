package local

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // MariaDB's own form of a stored password
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

// mariadb is a MariaDB data folder and what is needed to run programs on it.
type mariadb struct {
	server, dir, data string
	cred              *syscall.Credential
}

// MySQL initialises dir when it is empty and starts a MariaDB server on it, on the port it had before when that is free. It returns
// when the server answers. quick turns durability off, for tests; options are further arguments of the server. Errors: ErrNoProgram;
// a server that ended at its start, with the last line of its log; ctx's end.
func MySQL(ctx context.Context, dir, password string, quick bool, options ...string) (*Server, error) {
	path, err := find("mysql")
	if err != nil {
		return nil, err
	}
	cred, err := account()
	if err != nil {
		return nil, err
	}
	m := mariadb{server: path, cred: cred}
	if m.dir, err = home(dir, cred); err != nil {
		return nil, err
	}
	m.data = filepath.Join(m.dir, "data")
	if err := os.MkdirAll(m.temporary(), 0o700); err != nil {
		return nil, err
	}
	if m.cred != nil {
		if err := own(m.temporary(), m.cred); err != nil {
			return nil, err
		}
	}
	if err := m.initialise(ctx); err != nil {
		return nil, err
	}
	if err := m.awaitPredecessor(ctx); err != nil {
		return nil, err
	}
	first, err := m.opening(password)
	if err != nil {
		return nil, err
	}
	return m.start(ctx, password, quick, append(options, "--init-file="+first))
}

func (m mariadb) command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Dir, cmd.Env = m.dir, []string{"PATH=/usr/bin:/bin:/usr/sbin", "LC_ALL=C.UTF-8", "TZ=UTC", "TMPDIR=" + m.temporary()}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: m.cred}
	return cmd
}

// temporary is a folder of this server alone: each removes what it finds of temporary tables when it starts, also another's.
func (m mariadb) temporary() string { return filepath.Join(m.dir, "tmp") }

// initialise makes the data folder beside its place and moves it there, so that a process killed meanwhile leaves no half of one.
func (m mariadb) initialise(ctx context.Context) error {
	if _, err := os.Stat(filepath.Join(m.data, "mysql")); err == nil {
		return nil
	}
	program, err := Tool("mysql", "mariadb-install-db")
	if err != nil {
		return err
	}
	making := m.data + ".new"
	if err := os.RemoveAll(making); err != nil {
		return err
	}
	out, err := m.command(ctx, program, "--no-defaults", "--datadir="+making, "--skip-test-db", "--skip-name-resolve", "--auth-root-authentication-method=normal").CombinedOutput()
	if err != nil {
		return fmt.Errorf("mariadb-install-db: %w: %s", err, bytes.TrimSpace(out))
	}
	return os.Rename(making, m.data)
}

// opening writes the statements that the server runs before it lets anybody in: the administrator, and no root without a password.
// The file holds what the server keeps of the password, not the password.
func (m mariadb) opening(password string) (string, error) {
	once := sha1.Sum([]byte(password)) //nolint:gosec // see above
	twice := sha1.Sum(once[:])         //nolint:gosec // see above
	text := fmt.Sprintf("CREATE USER IF NOT EXISTS 'sutler'@'%%';\nALTER USER 'sutler'@'%%' IDENTIFIED BY PASSWORD '*%X';\nGRANT ALL PRIVILEGES ON *.* TO 'sutler'@'%%' WITH GRANT OPTION;\n", twice)
	for _, host := range []string{"localhost", "127.0.0.1", "::1"} {
		text += fmt.Sprintf("DROP USER IF EXISTS 'root'@'%s';\n", host)
	}
	if name, err := os.Hostname(); err == nil {
		text += fmt.Sprintf("DROP USER IF EXISTS 'root'@'%s';\n", strings.ToLower(strings.Map(harmless, name)))
	}
	file := filepath.Join(m.dir, "opening.sql")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return "", err
	}
	if m.cred != nil {
		return file, os.Chown(file, int(m.cred.Uid), int(m.cred.Gid))
	}
	return file, nil
}

// harmless leaves out what could end a quoted name.
func harmless(r rune) rune {
	if r == '\'' || r == '\\' || r < ' ' {
		return -1
	}
	return r
}

// awaitPredecessor waits for a server on the same folder that is still going down.
func (m mariadb) awaitPredecessor(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		pid := m.running()
		if pid == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("another MariaDB server (pid %d) runs on %s: stop it first", pid, m.data)
		case <-time.After(beat):
		}
	}
}

// running gives the pid of a live server on the data folder, or 0.
func (m mariadb) running() int {
	text, err := os.ReadFile(filepath.Join(m.data, "pid"))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0
	}
	args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !bytes.Contains(args, []byte(m.data)) {
		return 0 // gone, or the number is somebody else's by now
	}
	return pid
}

func (m mariadb) arguments(port int, quick bool) []string {
	args := []string{
		"--no-defaults", "--datadir=" + m.data, "--port=" + strconv.Itoa(port), "--bind-address=127.0.0.1", "--socket=sock",
		"--pid-file=" + filepath.Join(m.data, "pid"), "--skip-name-resolve", "--skip-symbolic-links", "--secure-file-priv=" + filepath.Join(m.data, "mysql"), "--local-infile=0", "--userstat=1",
		"--max-connections=200", "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--character-set-server=utf8mb4", "--aria-pagecache-buffer-size=16M",
	}
	if quick {
		args = append(args, "--innodb-flush-log-at-trx-commit=0", "--innodb-doublewrite=0", "--innodb-flush-method=nosync")
	}
	return args
}

func (m mariadb) start(ctx context.Context, password string, quick bool, options []string) (*Server, error) {
	port, err := KeptPort(m.dir)
	if err != nil {
		return nil, err
	}
	logFile := filepath.Join(m.dir, "log")
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := m.command(context.Background(), m.server, append(m.arguments(port, quick), options...)...) // it outlives the start's deadline
	cmd.Stdout, cmd.Stderr = log, log
	stop, dead, err := process(cmd, syscall.SIGTERM)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Kind: "mysql", Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), User: "sutler", Password: password,
		Dir: m.dir, Log: logFile, Dead: dead, stop: stop,
	}
	return s.once(ctx, "mariadbd", greets)
}

// greets tells whether the server at address greets a client, as MySQL's protocol begins: a packet's head of four bytes, then version 10.
func greets(address string) bool {
	conn, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Second)) // a connection that refuses a deadline fails below
	var head [5]byte
	n, err := conn.Read(head[:])
	return err == nil && n == len(head) && head[4] == 10
}
