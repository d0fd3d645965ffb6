package nats

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/sutlerhq/sutler/providers"
)

var _ providers.Lister = (*Driver)(nil)

// List names every account of an instance; the server's own accounts carry no key tag and are none.
func (d *Driver) List(context.Context) (names []string, err error) {
	files, err := os.ReadDir(filepath.Join(string(d.folder), "accounts"))
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range files {
		public, _, _ := strings.Cut(f.Name(), ".")
		c, err := d.claims(public)
		if err != nil {
			continue // it went since the folder was read, or is being written
		}
		for _, tag := range c.Tags {
			if name, ok := strings.CutPrefix(tag, keyTag); ok {
				names = append(names, name)
			}
		}
	}
	return names, nil
}

// NameOf gives the name of an instance's account.
func (d *Driver) NameOf(instance string) string { return providers.Name("i", instance) }
