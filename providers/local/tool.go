package local

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Tool gives the path of a program that comes with a kind's server, such as pg_dump: the one beside the newest server program found here,
// else the one on the PATH. The error wraps ErrNoProgram and names the package.
func Tool(kind, name string) (string, error) {
	if server, err := find(kind); err == nil {
		beside := filepath.Join(filepath.Dir(server), name)
		if info, err := os.Stat(beside); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return beside, nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	return "", fmt.Errorf("%s: %w: install the Debian package %s", name, ErrNoProgram, packageOf(kind))
}

// packageOf names the package with a kind's client programs, which is smaller than the server's.
func packageOf(kind string) string {
	switch kind {
	case "postgresql":
		return "postgresql-client"
	case "mysql":
		return "mariadb-client"
	}
	return kind
}
