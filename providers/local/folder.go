package local

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

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
	return nil, errors.New("servers must not run as root, and there is no user postgres or nobody to run them as")
}

// home gives a folder that the server's user owns and can enter: dir itself, or, when one of its parents is closed to that user (as
// /root is), a folder under /var/tmp that belongs to dir. Which one it was is written to dir/location.
func home(dir string, cred *syscall.Credential) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	if cred == nil {
		return dir, nil
	}
	place := dir
	if !enterable(filepath.Dir(dir), cred) {
		if place, err = elsewhere(filepath.Join(dir, "location")); err != nil {
			return "", err
		}
	}
	return place, own(place, cred)
}

// elsewhere gives the folder under /var/tmp that the file location names, or a new one, which it then names. A new one is never one that was
// there before: whoever removed dir and starts again would find the old data, with passwords that nobody knows any more.
func elsewhere(location string) (string, error) {
	if known, err := os.ReadFile(location); err == nil {
		place := strings.TrimSpace(string(known))
		if _, err := os.Lstat(place); err == nil {
			return place, nil
		}
	}
	place, err := os.MkdirTemp("/var/tmp", "sutler-")
	if err != nil {
		return "", err
	}
	return place, os.WriteFile(location, []byte(place+"\n"), 0o600)
}

// own gives a folder to the server's user. One that somebody else put in the way is refused.
func own(dir string, cred *syscall.Credential) error {
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || (st.Uid != 0 && st.Uid != cred.Uid) {
		return fmt.Errorf("%s belongs to somebody else: remove it, or choose another data folder", dir)
	}
	return os.Chown(dir, int(cred.Uid), int(cred.Gid))
}

// enterable tells whether a user may pass through dir and all its parents.
func enterable(dir string, cred *syscall.Credential) bool {
	for {
		info, err := os.Stat(dir)
		if err != nil {
			return false
		}
		st, ok := info.Sys().(*syscall.Stat_t)
		if !ok {
			return false
		}
		bit := os.FileMode(0o001)
		switch {
		case st.Uid == cred.Uid:
			bit = 0o100
		case st.Gid == cred.Gid:
			bit = 0o010
		}
		if info.Mode()&bit == 0 {
			return false
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return true
		}
		dir = parent
	}
}

// Temporary makes a folder for a server that lives no longer than this process, and removes the folders of processes that have gone.
func Temporary(kind string) (dir string, err error) {
	sweep()
	dir, err = os.MkdirTemp("", fmt.Sprintf("sutler-local-%s-%d-", kind, os.Getpid()))
	if err != nil {
		return "", err
	}
	return dir, os.Chmod(dir, 0o700)
}

// sweep removes temporary folders whose process is no more.
func sweep() {
	found, _ := filepath.Glob(filepath.Join(os.TempDir(), "sutler-local-*-*-*")) // the pattern is well-formed
	for _, dir := range found {
		parts := strings.Split(filepath.Base(dir), "-")
		pid, err := strconv.Atoi(parts[len(parts)-2])
		if err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(dir) // another user's folder stays
		}
	}
}
