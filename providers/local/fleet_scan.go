package local

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// Scan removes what strayed: processes that run in the folder of no claimed server, and folders without a claim. It touches no process
// that is not provably the fleet's own.
func (f *Fleet) Scan() error {
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return err
	}
	claimed := f.Names()
	var all error
	for _, id := range inhabitants(f.dir, func(program, below string, uid int) bool {
		name, _, _ := strings.Cut(below, "/")
		return serverName.MatchString(name) && !slices.Contains(claimed, name) && f.ours(name, program, uid)
	}) {
		f.options.Log.Warn("a stray server is ended", "pid", id.PID)
		all = errors.Join(all, id.end(syscall.SIGKILL))
	}
	for _, e := range entries {
		if e.IsDir() && serverName.MatchString(e.Name()) && !slices.Contains(claimed, e.Name()) {
			f.options.Log.Warn("a folder that no server claims is removed", "folder", e.Name())
			all = errors.Join(all, f.Remove(e.Name()))
		}
	}
	return all
}

// evict ends every process of a name: the one that was written down, and those found in its folder.
func (f *Fleet) evict(name string, how syscall.Signal) error {
	var written identity
	var all error
	if read(filepath.Join(f.dir, name, "process"), &written) == nil && written.alive() {
		all = written.end(how)
	}
	for _, id := range inhabitants(f.dir, func(program, below string, uid int) bool {
		in, _, _ := strings.Cut(below, "/")
		return in == name && f.ours(name, program, uid)
	}) {
		all = errors.Join(all, id.end(how))
	}
	return all
}

// ours tells whether a process in the folder of a name is its server: it runs a server program of the fleet's kind as the folder's user.
func (f *Fleet) ours(name, program string, uid int) bool {
	p, _ := programOf(f.options.Kind)
	known := filepath.Base(program) == p.name
	if path, err := find(f.options.Kind); err == nil && !known { // Debian's redis-server is a link to another name
		path, err = filepath.EvalSymlinks(path)
		known = err == nil && path == program
	}
	user, err := number(filepath.Join(f.dir, name, "user"))
	switch {
	case err == nil:
		return known && uid == user
	case f.shared == nil:
		return known && uid == os.Getuid()
	}
	return known && (uid >= firstUser || uid == int(f.shared.Uid)) // its folder is gone
}
