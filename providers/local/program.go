package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// ErrNoProgram is wrapped by every start of a server whose program is not on this machine; the text says which package brings it.
var ErrNoProgram = errors.New("program not found")

// program is where a kind's server program may be and which Debian package brings it. Globs are looked at first: Debian keeps
// PostgreSQL's programs off the PATH.
type program struct {
	name, pkg string
	globs     []string
}

func programOf(kind string) (program, bool) {
	switch kind {
	case "postgresql":
		return program{"postgres", "postgresql", []string{"/usr/lib/postgresql/*/bin/postgres"}}, true
	case "redis":
		return program{"redis-server", "redis-server", nil}, true
	case "rabbitmq":
		return program{"rabbitmq-server", "rabbitmq-server", []string{"/usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"}}, true
	case "s3":
		return versitygw(), true
	}
	if kind == "mysql" {
		return program{"mariadbd", "mariadb-server", []string{"/usr/sbin/mariadbd", "/usr/libexec/mariadbd"}}, true
	}
	return program{}, false
}

// find gives the path of the kind's server program, the newest version of several, or ErrNoProgram.
func find(kind string) (string, error) {
	p, ok := programOf(kind)
	if !ok {
		return "", fmt.Errorf("%s: %w: no server of this kind can be started here", kind, ErrNoProgram)
	}
	for _, glob := range p.globs {
		found, _ := filepath.Glob(glob) // the pattern is well-formed
		if len(found) > 0 {
			return slices.MaxFunc(found, func(a, b string) int { return version(a) - version(b) }), nil
		}
	}
	if path, err := exec.LookPath(p.name); err == nil {
		return path, nil
	}
	if p.pkg == "" {
		return "", fmt.Errorf("%s: %w: put it beside sutler or on the PATH", p.name, ErrNoProgram)
	}
	return "", fmt.Errorf("%s: %w: install the Debian package %s (apt-get install %s)", p.name, ErrNoProgram, p.pkg, p.pkg)
}

// version is the number of the folder above a program's bin, as in /usr/lib/postgresql/15/bin/postgres.
func version(path string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // no number: the oldest
	return n
}

// Found tells whether a server of this kind can be started here; if not, the error wraps ErrNoProgram and says what to install.
func Found(kind string) error {
	_, err := find(kind)
	return err
}

// Ensure installs what a server of this kind needs when that is missing and we are root on Debian; else the error says what to
// install. It is for tests and demos: calling it is the consent.
func Ensure(ctx context.Context, kind string) error {
	missing := Found(kind)
	p, known := programOf(kind)
	if missing == nil || !known || p.pkg == "" {
		return missing
	}
	apt, err := exec.LookPath("apt-get")
	if _, debian := os.Stat("/etc/debian_version"); err != nil || debian != nil || os.Getuid() != 0 {
		return missing
	}
	for _, args := range [][]string{{"update", "-q"}, {"install", "-q", "-y", "--no-install-recommends", p.pkg}} {
		cmd := exec.CommandContext(ctx, apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%w; apt-get %s failed: %w: %s", missing, strings.Join(args, " "), err, lastLine(out))
		}
	}
	return Found(kind)
}

func lastLine(out []byte) []byte {
	out = bytes.TrimSpace(out)
	return out[bytes.LastIndexByte(out, '\n')+1:]
}

// Program gives the path of the kind's server program, or ErrNoProgram.
func Program(kind string) (string, error) { return find(kind) }
