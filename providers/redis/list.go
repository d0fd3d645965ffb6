package redis

import (
	"context"
	"regexp"
	"slices"

	"github.com/sutlerhq/sutler/providers"
)

var _ providers.Lister = (*Driver)(nil)

var (
	ownServer = regexp.MustCompile(`^rd[a-z2-7]{26}$`)
	madeUser  = regexp.MustCompile(`^made[a-z2-7]{26}$`)
)

// List names the server of every instance, or, on a shared server, the mark of each: a prefix without a mark is not there for us.
func (d *Driver) List(ctx context.Context) ([]string, error) {
	if d.settings.Servers != nil {
		return slices.DeleteFunc(d.settings.Servers.Names(), func(n string) bool { return !ownServer.MatchString(n) }), nil
	}
	s, err := d.sharedSite("")
	if err != nil {
		return nil, err
	}
	users, err := s.Do(ctx, "ACL", "USERS").StringSlice()
	return slices.DeleteFunc(users, func(u string) bool { return !madeUser.MatchString(u) }), classed(err)
}

// NameOf gives the name of an instance's server, or its mark on a shared one.
func (d *Driver) NameOf(instance string) string {
	if d.settings.Servers != nil {
		return nameOf(instance)
	}
	return providers.Name("made", instance)
}
