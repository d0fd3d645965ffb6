package rabbitmq

import (
	"context"
	"regexp"

	"github.com/sutlerhq/sutler/providers"
)

var _ providers.Lister = (*Driver)(nil)

// ofInstance tells an instance's virtual host from those of others.
var ofInstance = regexp.MustCompile(`^v[a-z2-7]{26}$`)

// List names the virtual host of every instance on the server.
func (d *Driver) List(ctx context.Context) (names []string, err error) {
	s, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	all, err := s.ListVhosts()
	for _, v := range all {
		if ofInstance.MatchString(v.Name) {
			names = append(names, v.Name)
		}
	}
	return names, classed(err)
}

// NameOf gives an instance's virtual host.
func (d *Driver) NameOf(instance string) string { return vhostOf(instance) }
