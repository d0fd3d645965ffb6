package local

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// gatewayModule is what an S3 server is built from where none is installed.
const gatewayModule = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"

// versitygw is found beside our own program first, then on the PATH. No Debian package brings it.
func versitygw() program {
	p := program{name: "versitygw"}
	if self, err := os.Executable(); err == nil {
		p.globs = []string{filepath.Join(filepath.Dir(self), "versitygw")}
	}
	return p
}

// InstallS3 builds the S3 server into the folder bin unless it is there, and puts that folder onto this process's PATH. It is for tests:
// calling it is the consent to ask the Go module proxy.
func InstallS3(ctx context.Context, bin string) error {
	bin, err := filepath.Abs(bin)
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(bin, "versitygw")); err != nil {
		install := exec.CommandContext(ctx, "go", "install", gatewayModule)
		install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=", "CGO_ENABLED=0")
		if out, err := install.CombinedOutput(); err != nil {
			return fmt.Errorf("%w: go install %s: %w: %s", ErrNoProgram, gatewayModule, err, lastLine(out))
		}
	}
	return os.Setenv("PATH", bin+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// S3 starts an S3 gateway (versitygw) that keeps its objects in dir, on the port it had before when that is free, and returns when it answers.
// With files cert.pem and key.pem in dir, which its user can read, it speaks TLS.
// User and Password of the server are the root access key and its secret. Errors: ErrNoProgram; a server that ended at its start, with its
// log's last line; ctx's end.
func S3(ctx context.Context, dir, password string) (*Server, error) {
	path, err := find("s3")
	if err != nil {
		return nil, err
	}
	cred, err := account()
	if err != nil {
		return nil, err
	}
	if dir, err = home(dir, cred); err != nil {
		return nil, err
	}
	for _, part := range []string{"iam", "sidecar", "objects"} {
		at := filepath.Join(dir, part)
		if err := os.MkdirAll(at, 0o700); err != nil {
			return nil, err
		}
		if cred != nil {
			if err := own(at, cred); err != nil {
				return nil, err
			}
		}
	}
	port, err := KeptPort(dir)
	if err != nil {
		return nil, err
	}
	if path, err = within(dir, path, cred); err != nil {
		return nil, err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	cmd := exec.CommandContext(context.Background(), path, gatewayArgs(dir, address)...) // it outlives the start's deadline
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Credential: cred}
	cmd.Env = []string{"PATH=/usr/bin:/bin", "ROOT_ACCESS_KEY_ID=sutler", "ROOT_SECRET_ACCESS_KEY=" + password}
	return gateway(ctx, cmd, &Server{Kind: "s3", Address: address, User: "sutler", Password: password, Dir: dir, Log: filepath.Join(dir, "log")})
}

func gatewayArgs(dir, address string) []string {
	in := func(name string) string { return filepath.Join(dir, name) }
	args := []string{"--port", address, "--iam-dir", in("iam"), "--region", "us-east-1", "--health", "/healthz", "--quiet"}
	if exists(in("cert.pem")) {
		args = append(args, "--cert", in("cert.pem"), "--key", in("key.pem"))
	}
	return append(args, "posix", "--sidecar", in("sidecar"), in("objects"))
}

// within gives a path to the program that the server's user may enter: the program's own, or a copy in the server's folder.
func within(dir, path string, cred *syscall.Credential) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil || cred == nil || enterable(filepath.Dir(path), cred) {
		return path, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	copied, fresh := filepath.Join(dir, "versitygw"), filepath.Join(dir, "versitygw.new")
	if err := os.WriteFile(fresh, text, 0o700); err != nil {
		return "", err
	}
	return copied, errors.Join(os.Chown(fresh, int(cred.Uid), int(cred.Gid)), os.Rename(fresh, copied))
}

func gateway(ctx context.Context, cmd *exec.Cmd, s *Server) (*Server, error) {
	log, err := os.OpenFile(s.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if s.stop, s.Dead, err = process(cmd, syscall.SIGTERM); err != nil {
		return nil, err
	}
	scheme := "http://"
	if exists(filepath.Join(s.Dir, "cert.pem")) {
		scheme = "https://"
	}
	return s.once(ctx, "versitygw", func(address string) bool { return healthy(ctx, scheme+address) })
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

func healthy(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/healthz", nil)
	if err != nil {
		return false
	}
	unsure := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // whether our own server answers, and nothing is told to it
	answer, err := (&http.Transport{DisableKeepAlives: true, TLSClientConfig: unsure}).RoundTrip(ask)
	if err != nil {
		return false
	}
	return answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
}
