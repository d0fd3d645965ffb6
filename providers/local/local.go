package local

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Server is a running server process. It dies with this process, whatever ends it.
type Server struct {
	Kind     string
	Address  string // host:port
	Admin    string // host:port of the administrator's door when that is another one
	User     string // administrator
	Password string
	Dir      string          // where its files are: not the folder asked for when the server's user may not enter that
	Log      string          // the file it writes its log to
	Dead     <-chan struct{} // closed when the process has ended
	stop     func() error
}

// Stop ends the process and waits for it. The folder stays.
func (s *Server) Stop() error { return s.stop() }

// once gives the server when it is ready; one that ended meanwhile, or whose start took longer than ctx allows, is an error.
func (s *Server) once(ctx context.Context, name string, ready func(address string) bool) (*Server, error) {
	for !ready(s.Address) {
		select {
		case <-s.Dead:
			text, _ := os.ReadFile(s.Log) // the pid's end is the error; the log is a help
			return nil, fmt.Errorf("%s ended at its start: %s (see %s)", name, lastLine(text), s.Log)
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), s.stop())
		case <-time.After(beat):
		}
	}
	return s, nil
}

// URL is the administrator's address of the server, with the password: postgres://… for PostgreSQL.
func (s *Server) URL() string {
	u := url.URL{Scheme: s.Kind, User: url.UserPassword(s.User, s.Password), Host: s.Address}
	if s.Kind == "postgresql" {
		u.Scheme, u.Path, u.RawQuery = "postgres", "/postgres", "sslmode=disable"
	}
	return u.String()
}

// FreePort gives a loopback port that was free a moment ago.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// KeptPort gives the port that the folder's server had last time when it is free, else a new one, and keeps it in the folder: what
// was written down about the server stays true over a restart.
func KeptPort(dir string) (int, error) {
	file := filepath.Join(dir, "port")
	if text, err := os.ReadFile(file); err == nil {
		if port, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && free("127.0.0.1", port) {
			return port, nil
		}
	}
	port, err := FreePort()
	if err != nil {
		return 0, err
	}
	return port, os.WriteFile(file, fmt.Appendln(nil, port), 0o600)
}

func free(host string, port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
