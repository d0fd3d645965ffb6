package redis

import (
	"context"
	"errors"
	"net/url"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Bind makes an ACL user. Called again it puts the user back to what it should be; of a suspended instance it makes one that is shut.
func (d *Driver) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	password, err := providers.Password(b.Seed, "redis password")
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.Invalid.Wrap(err, "The binding has no seed.")
	}
	asked, err := d.settings.Networks.Of(b.Params)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	defer d.turn(i.ID)()
	s, err := d.site(ctx, i.ID)
	if err == nil {
		err = s.made(ctx)
	}
	if err == nil {
		err = s.put(ctx, b.ID, password)
	}
	if err == nil {
		err = s.save(ctx)
	}
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	network := s.reached(asked)
	credentials, err := s.credentials(network, userOf(b.ID), password)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	return providers.Grant{Credentials: credentials, Endpoints: network.Endpoints(), ExpiresAt: b.ExpiresAt}, providers.Progress{Done: true}, nil
}

func (s *site) credentials(n providers.Network, user, password string) (map[string]any, error) {
	host, port, err := n.Place()
	if err != nil {
		return nil, err
	}
	uri := url.URL{Scheme: "redis", User: url.UserPassword(user, password), Host: n.Address}
	if n.Encrypted() {
		uri.Scheme = "rediss"
	}
	c := map[string]any{"uri": uri.String(), "host": host, "port": port, "username": user, "password": password, "tls": n.Encrypted()}
	if n.CA != "" {
		c["ca"] = n.CA
	}
	if s.prefix != "" {
		c["prefix"] = s.prefix
	}
	return c, nil
}

// Unbind removes the user. Redis ends its connections in the same step.
func (d *Driver) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	defer d.turn(i.ID)()
	s, err := d.site(ctx, i.ID)
	if errors.Is(err, errNotThere) {
		return providers.Progress{Done: true}, nil
	}
	if err == nil {
		err = classed(s.Do(ctx, "ACL", "DELUSER", userOf(b.ID)).Err())
	}
	if err == nil {
		err = s.save(ctx)
	}
	return providers.Progress{Done: err == nil}, err
}
