package vault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// folder keeps a file for each name.
type folder struct{ dir string }

// Folder keeps things in a folder, which it makes when it is missing. Files that a killed process left unfinished do not count.
func Folder(dir string) (Vault, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return folder{dir}, nil
}

func (f folder) Write(ctx context.Context, name string, from io.Reader) (n int64, err error) {
	if err := check(name); err != nil {
		return 0, err
	}
	if err := f.forget(name); err != nil {
		return 0, err
	}
	tmp, err := os.CreateTemp(f.dir, unfinished+name+"-*")
	if err != nil {
		return 0, fmt.Errorf("vault: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // it has its name by then when all went well
	n, err = io.Copy(tmp, while{ctx, from})
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), filepath.Join(f.dir, name))
	}
	if err != nil {
		return 0, fmt.Errorf("vault: %w", err)
	}
	return n, f.sync()
}

// unfinished is how the files begin that have not been written to their end.
const unfinished = ".unfinished-"

// forget removes what a process that died, or still hangs, has begun to write under a name: the one that hangs can then not give it that name.
func (f folder) forget(name string) error {
	left, err := filepath.Glob(filepath.Join(f.dir, unfinished+name+"-*"))
	for _, path := range left {
		if gone := os.Remove(path); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}

// sync makes the new name last.
func (f folder) sync() error {
	d, err := os.Open(f.dir)
	if err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f folder) Read(_ context.Context, name string) (io.ReadCloser, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	file, err := os.Open(filepath.Join(f.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("vault: %s: %w", name, ErrAbsent)
	}
	return file, err
}

func (f folder) Remove(_ context.Context, name string) error {
	if err := check(name); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(f.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("vault: %w", err)
	}
	return f.forget(name)
}

// while reads as long as ctx has not ended.
type while struct {
	ctx context.Context
	r   io.Reader
}

func (w while) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil {
		return 0, err
	}
	return w.r.Read(p)
}
