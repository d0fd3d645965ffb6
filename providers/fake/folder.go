package fake

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/sutlerhq/sutler/providers"
)

// object is one instance at the make-believe backend.
type object struct {
	ID        string            `json:"id"`
	Plan      string            `json:"plan"`
	Params    json.RawMessage   `json:"params"`
	ReadyAt   time.Time         `json:"ready_at"`
	Suspended bool              `json:"suspended"`
	Requests  int64             `json:"requests"`
	Epoch     int64             `json:"epoch"`
	Logins    map[string]login  `json:"logins"` // by binding id
	Data      map[string]string `json:"data"`
}

type login struct{ Username, Password string }

// backend keeps objects: in memory, or one file each in a folder that several processes may share.
type backend struct {
	dir     string
	objects map[string]object
	journal []string
}

// locked runs f alone among the processes that share the folder. The caller holds the driver's own lock.
func (b *backend) locked(f func() error) error {
	if b.dir == "" {
		return f()
	}
	if err := os.MkdirAll(filepath.Join(b.dir, "instances"), 0o700); err != nil {
		return err
	}
	l, err := os.OpenFile(filepath.Join(b.dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer l.Close()
	if err := syscall.Flock(int(l.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	return f()
}

func (b *backend) file(id string) string {
	return filepath.Join(b.dir, "instances", providers.Name("i", id)+".json")
}

func (b *backend) read(id string) (object, bool, error) {
	if b.dir == "" {
		o, ok := b.objects[id]
		return o, ok, nil
	}
	text, err := os.ReadFile(b.file(id))
	if errors.Is(err, os.ErrNotExist) {
		return object{}, false, nil
	}
	var o object
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	return o, err == nil, err
}

func (b *backend) write(o object) error {
	if b.dir == "" {
		b.objects[o.ID] = o
		return nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := os.WriteFile(b.file(o.ID)+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(b.file(o.ID)+".new", b.file(o.ID))
}

func (b *backend) remove(id string) error {
	if b.dir == "" {
		delete(b.objects, id)
		return nil
	}
	return os.Remove(b.file(id))
}

func (b *backend) list() ([]object, error) {
	var list []object
	if b.dir == "" {
		for _, o := range b.objects {
			list = append(list, o)
		}
		return list, nil
	}
	names, err := filepath.Glob(filepath.Join(b.dir, "instances", "*.json"))
	for _, name := range names {
		var o object
		text, err := os.ReadFile(name)
		if err == nil {
			err = json.Unmarshal(text, &o)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, err
}

// note appends one effect ("made ID", "removed ID") to the journal, which nothing ever takes a line from.
func (b *backend) note(effect, id string) error {
	b.journal = append(b.journal, effect+" "+id)
	if b.dir == "" {
		return nil
	}
	f, err := os.OpenFile(filepath.Join(b.dir, "journal"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s\n", effect, id)
	return errors.Join(err, f.Close())
}

func (b *backend) count(effect, id string) int {
	lines := b.journal
	if b.dir != "" {
		text, _ := os.ReadFile(filepath.Join(b.dir, "journal")) // none yet: no effect yet
		lines = strings.Split(string(text), "\n")
	}
	n := 0
	for _, line := range lines {
		if line == effect+" "+id {
			n++
		}
	}
	return n
}
