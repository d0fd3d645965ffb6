package redis

import (
	"context"
	"errors"
	"net"
	"strconv"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Bind makes an ACL user. Called again it puts the user back to what it should be; of a suspended instance it makes one that is shut.
func (d *Driver) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	password, err := providers.Password(b.Seed, "redis password")
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.Invalid.Wrap(err, "The binding has no seed.")
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
	host, port, err := net.SplitHostPort(s.address)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.ProviderFailed.Wrap(err, "The Redis server's advertised address is malformed.")
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.ProviderFailed.Wrap(err, "The Redis server's advertised port is no number.")
	}
	credentials := map[string]any{"uri": s.uri(userOf(b.ID), password), "host": host, "port": number, "username": userOf(b.ID), "password": password}
	if s.prefix != "" {
		credentials["prefix"] = s.prefix
	}
	return providers.Grant{
		Credentials: credentials, Endpoints: []providers.Endpoint{{Host: host, Ports: []string{port}, Protocol: "tcp"}}, ExpiresAt: b.ExpiresAt,
	}, providers.Progress{Done: true}, nil
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
