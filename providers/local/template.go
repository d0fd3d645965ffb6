package local

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Template is an initialised data folder that servers of a PostgreSQL fleet begin with: a copy is made far sooner than a new one.
type Template struct {
	Dir      string
	Password string // of its superuser sutler, until a copy's is changed

	durable bool // copies are on the disk before they are used
}

// Template gives the fleet's, made by initdb when there is none of the newest PostgreSQL found here. It lies beside the servers' folders,
// under a name that no server can have. A process killed meanwhile leaves no half of one.
func (f *Fleet) Template(ctx context.Context) (Template, error) {
	path, err := find("postgresql")
	if err != nil {
		return Template{}, err
	}
	defer f.turn("template")()
	c := cluster{bin: filepath.Dir(path), cred: f.shared, dir: filepath.Join(f.dir, "template-"+strconv.Itoa(version(path)))}
	c.data = filepath.Join(c.dir, "data")
	t := Template{Dir: c.data, durable: f.options.Detached}
	kept := filepath.Join(c.dir, "kept-password")
	text, err := os.ReadFile(kept)
	if err == nil {
		t.Password = strings.TrimSpace(string(text))
		if _, err := os.Stat(filepath.Join(c.data, "PG_VERSION")); err == nil {
			return t, nil
		}
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return Template{}, err
	}
	if err := os.Mkdir(c.dir, 0o700); err != nil {
		return Template{}, err
	}
	if f.shared != nil {
		if err := os.Chown(c.dir, int(f.shared.Uid), int(f.shared.Gid)); err != nil {
			return Template{}, err
		}
	}
	t.Password = rand.Text() + rand.Text()
	if err := os.WriteFile(kept, []byte(t.Password), 0o600); err != nil {
		return Template{}, err
	}
	return t, c.initialise(ctx, t.Password)
}

// Copy puts a copy of the template into a server's Data folder under a name, and gives its path.
func (t Template) Copy(p Place, name string) (string, error) {
	to := filepath.Join(p.Data, name)
	err := filepath.WalkDir(t.Dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(t.Dir, path)
		if err != nil {
			return err
		}
		if e.IsDir() {
			return os.Mkdir(filepath.Join(to, below), 0o700)
		}
		return copyFile(path, filepath.Join(to, below))
	})
	if err == nil && t.durable {
		err = flush(to)
	}
	return to, err
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	_, err = io.Copy(out, in)
	return err
}
