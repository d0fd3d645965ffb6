package local

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// rabbit is a RabbitMQ node's folder with its four ports: for apps, for the management plugin, for the Erlang port mapper and for Erlang's
// own distribution, which nobody but the node uses.
type rabbit struct {
	program, dir, password   string
	cred                     *syscall.Credential
	amqp, admin, mapper, own int
	quick                    bool
}

// RabbitMQ starts a node with the management plugin on dir, on the ports it had before when they are free, with an Erlang port mapper of its
// own, and with what else DIR/conf.d/*.conf says. It returns when the node answers. Server.Address is for AMQP, Server.Admin for the management API.
// quick is for tests: the node ends without the pause that a clean end takes, and collects statistics every second instead of every five. Errors:
// ErrNoProgram; a node that ended at its start, with its log's last line; ctx's end.
func RabbitMQ(ctx context.Context, dir, password string, quick bool) (*Server, error) {
	r := rabbit{password: password, quick: quick}
	var err error
	if r.program, err = find("rabbitmq"); err != nil {
		return nil, err
	}
	if r.cred, err = rabbitAccount(); err != nil {
		return nil, err
	}
	if r.dir, err = home(dir, r.cred); err != nil {
		return nil, err
	}
	if err := errors.Join(r.ports(), r.configure()); err != nil {
		return nil, err
	}
	mapper := r.command("/usr/bin/epmd", "-port", strconv.Itoa(r.mapper), "-address", "127.0.0.1")
	endMapper, _, err := process(mapper, syscall.SIGTERM)
	if err != nil {
		return nil, fmt.Errorf("the Erlang port mapper: %w", err)
	}
	s, err := r.start(ctx)
	if err != nil {
		return nil, errors.Join(err, endMapper())
	}
	endNode := s.stop
	s.stop = func() error { return errors.Join(endNode(), endMapper()) }
	return s, nil
}

// rabbitAccount is the user that Debian's package makes for the server, else the one that all servers run as.
func rabbitAccount() (*syscall.Credential, error) {
	u, err := user.Lookup("rabbitmq")
	if os.Getuid() != 0 || err != nil {
		return account()
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32) // numbers on every Unix
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}

func (r *rabbit) ports() error {
	for name, port := range map[string]*int{"amqp": &r.amqp, "admin": &r.admin, "mapper": &r.mapper, "own": &r.own} {
		at := filepath.Join(r.dir, "ports", name)
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		var err error
		if *port, err = KeptPort(at); err != nil {
			return err
		}
	}
	return nil
}

// configure writes the node's configuration anew: the ports may have changed.
func (r *rabbit) configure() error {
	conf := fmt.Sprintf(`listeners.tcp.1 = 127.0.0.1:%d
management.tcp.ip = 127.0.0.1
management.tcp.port = %d
loopback_users = none
default_user = sutler
default_pass = %s
default_user_tags.administrator = true
disk_free_limit.absolute = 50MB
log.console = true
log.console.level = info
log.file = false
`, r.amqp, r.admin, r.password)
	if r.quick {
		conf += "collect_statistics_interval = 1000\n"
		for _, samples := range []string{"global", "basic", "detailed"} { // the management plugin looks as often as its finest samples say
			conf += "management.sample_retention_policies." + samples + ".minute = 1\n"
		}
	}
	return errors.Join(r.write("rabbitmq.conf", conf), r.write("enabled_plugins", "[rabbitmq_management].\n"))
}

func (r *rabbit) write(name, text string) error {
	path := filepath.Join(r.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil || r.cred == nil {
		return err
	}
	return os.Chown(path, int(r.cred.Uid), int(r.cred.Gid))
}

func (r *rabbit) command(program string, args ...string) *exec.Cmd {
	in := func(name string) string { return filepath.Join(r.dir, name) }
	cmd := exec.CommandContext(context.Background(), program, args...) // it outlives the start's deadline
	cmd.Dir = r.dir
	cmd.Env = []string{
		"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=" + r.dir,
		"ERL_EPMD_PORT=" + strconv.Itoa(r.mapper), "ERL_EPMD_ADDRESS=127.0.0.1",
		"RABBITMQ_NODENAME=sutler@localhost", "RABBITMQ_DIST_PORT=" + strconv.Itoa(r.own),
		"RABBITMQ_MNESIA_BASE=" + in("data"), "RABBITMQ_LOG_BASE=" + in("logs"), "RABBITMQ_GENERATED_CONFIG_DIR=" + in("generated"),
		"RABBITMQ_ENABLED_PLUGINS_FILE=" + in("enabled_plugins"), "RABBITMQ_CONFIG_FILE=" + in("rabbitmq.conf"), "RABBITMQ_CONFIG_FILES=" + in("conf.d/*.conf"), "RABBITMQ_CONF_ENV_FILE=" + in("none"),
		"RABBITMQ_ALLOW_INPUT=yes", // the script then becomes the node instead of waiting for it
		"RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-noinput -kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: r.cred}
	return cmd
}

func (r *rabbit) start(ctx context.Context) (*Server, error) {
	logFile := filepath.Join(r.dir, "log")
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := r.command(r.program)
	cmd.Stdout, cmd.Stderr = log, log
	end := syscall.SIGTERM
	if r.quick {
		end = syscall.SIGQUIT
	}
	stop, dead, err := process(cmd, end)
	if err != nil {
		return nil, err
	}
	s := &Server{
		Kind: "rabbitmq", Address: net.JoinHostPort("127.0.0.1", strconv.Itoa(r.amqp)), Admin: net.JoinHostPort("127.0.0.1", strconv.Itoa(r.admin)),
		User: "sutler", Password: r.password, Dir: r.dir, Log: logFile, Dead: dead, stop: stop,
	}
	return s.once(ctx, "rabbitmq-server", func(string) bool { return r.answers(ctx, s) })
}

// answers tells whether the node takes logins at both doors.
func (r *rabbit) answers(ctx context.Context, s *Server) bool {
	conn, err := net.DialTimeout("tcp", s.Address, time.Second)
	if err != nil {
		return false
	}
	if err := conn.Close(); err != nil {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Admin+"/api/whoami", nil)
	if err != nil {
		return false
	}
	ask.SetBasicAuth(s.User, s.Password)
	answer, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(ask)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	return err == nil && answer.StatusCode == http.StatusOK && json.Valid(text) && bytes.Contains(text, []byte(s.User))
}
