package s3

import (
	"cmp"
	"context"
	"net"
	"net/url"
	"strconv"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Bind makes an access key and lets it into the bucket. Called again it puts the key back to what it should be.
func (d *Driver) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	secret, err := providers.Password(b.Seed, "s3 secret")
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.Invalid.Wrap(err, "The binding has no seed.")
	}
	asked, err := d.settings.Networks.Of(b.Params)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	var grant providers.Grant
	err = d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		_, m, err := s.policy(ctx, bucketOf(i.ID))
		if err != nil {
			return err
		}
		key := keyOf(i.ID, b.ID)
		if err := s.keys.put(ctx, key, secret); err != nil {
			return err
		}
		if err := s.admit(ctx, i.ID, m, ""); err != nil {
			return err
		}
		grant, err = grantOf(asked.Or(d.usual(s.server)), s.server.Region, bucketOf(i.ID), key, secret)
		grant.ExpiresAt = b.ExpiresAt
		return err
	})
	p, err := progress(err, "the key is ready")
	return grant, p, err
}

func grantOf(n providers.Network, region, bucket, key, secret string) (providers.Grant, error) {
	u, place, err := placeOf(n)
	if err != nil {
		return providers.Grant{}, err
	}
	host, port, err := place.Place()
	if err != nil {
		return providers.Grant{}, err
	}
	query := url.Values{"region": {region}, "path_style": {"true"}, "tls": {strconv.FormatBool(u.Scheme == "https")}}
	uri := url.URL{Scheme: "s3", User: url.UserPassword(key, secret), Host: place.Address, Path: "/" + bucket, RawQuery: query.Encode()}
	c := map[string]any{
		"uri": uri.String(), "host": host, "port": port, "username": key, "password": secret,
		"endpoint": u.Scheme + "://" + u.Host, "bucket": bucket, "region": region, "access_key_id": key, "secret_access_key": secret, "path_style": true,
		"tls": u.Scheme == "https",
	}
	if n.CA != "" {
		c["ca"] = n.CA
	}
	return providers.Grant{Credentials: c, Endpoints: place.Endpoints()}, nil
}

// placeOf takes an address such as https://host apart: the same as host:port, whose port the scheme may tell.
func placeOf(n providers.Network) (*url.URL, providers.Network, error) {
	u, err := url.Parse(n.Address)
	if err != nil || u.Hostname() == "" {
		return nil, n, fault.ProviderFailed.Errorf("The S3 server's advertised address is malformed.")
	}
	port := cmp.Or(u.Port(), map[string]string{"https": "443", "http": "80"}[u.Scheme])
	n.Address = net.JoinHostPort(u.Hostname(), port)
	return u, n, nil
}

// usual is how apps reach the server that name no network.
func (d *Driver) usual(server Server) providers.Network {
	return d.settings.Networks[providers.DefaultNetwork].Or(providers.Network{Address: server.Advertised, CA: d.settings.CA})
}

// Unbind takes the key out of the bucket's policy, then removes it: a server that still remembers the key for a while lets it do nothing.
// S3 has no sessions; each request, a presigned one too, is checked anew.
func (d *Driver) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		key := keyOf(i.ID, b.ID)
		_, m, err := s.policy(ctx, bucketOf(i.ID))
		if err == nil {
			err = s.admit(ctx, i.ID, m, key)
		}
		if err != nil && !noBucket(err) {
			return err
		}
		return s.keys.remove(ctx, key)
	})
	return progress(err, "the key is gone")
}
