package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/sutlerhq/sutler/internal/fault"
)

// folder is the data folder of `sutler dev`, held by one process at a time.
type folder struct {
	dir  string
	lock *os.File
}

// openFolder makes the folder when there is none and takes its lock; the fault is Conflict and says who has it.
func openFolder(dir string) (*folder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fault.Invalid.Wrap(err, "The data folder %s cannot be made: %s.", dir, because(err)).WithHint("Give another with --data.")
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The data folder %s cannot be written: %s.", dir, because(err)).WithHint("Give another with --data.")
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		owner, _ := os.ReadFile(f.Name())
		_ = f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fault.Invalid.Wrap(err, "The data folder %s cannot be locked.", dir)
		}
		return nil, fault.Conflict.Errorf("The data folder %s is in use by %s.", dir, holder(string(owner))).
			WithHint("Use that market (SUTLER_DEV=%s), stop it, or give another folder with --data.", dir)
	}
	return &folder{dir, f}, nil
}

// holder says for people what the lock file says: "PID" or "PID URL".
func holder(text string) string {
	pid, url, _ := strings.Cut(strings.TrimSpace(text), " ")
	switch {
	case pid == "":
		return "another process"
	case url == "":
		return "process " + pid
	}
	return fmt.Sprintf("process %s, at %s", pid, url)
}

// hold writes who has the folder and, once known, where it answers.
func (f *folder) hold(url string) error {
	text := strconv.Itoa(os.Getpid())
	if url != "" {
		text += " " + url
	}
	if err := f.lock.Truncate(0); err != nil {
		return err
	}
	_, err := f.lock.WriteAt([]byte(text+"\n"), 0)
	return err
}

// Close lets the folder go. The lock file stays: removing it would let two processes hold two files of one name.
func (f *folder) Close() error { return errors.Join(f.lock.Truncate(0), f.lock.Close()) }

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

// read fills v from a JSON file of the folder; one that is not there leaves v as it is.
func (f *folder) read(name string, v any) error {
	b, err := os.ReadFile(f.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fault.Invalid.Wrap(err, "The file %s is damaged.", f.path(name)).WithHint("Remove it to have it made afresh.")
	}
	return nil
}

// write puts v into a JSON file that only its owner may read, whole or not at all.
func (f *folder) write(name string, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	t, err := os.CreateTemp(f.dir, "."+name+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(t.Name()) }() // it has its place by then
	_, err = t.Write(append(b, '\n'))
	if err = errors.Join(err, t.Sync(), t.Close()); err != nil {
		return err
	}
	return os.Rename(t.Name(), f.path(name))
}
