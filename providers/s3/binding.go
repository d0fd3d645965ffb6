package s3

import (
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
		grant, err = s.grant(bucketOf(i.ID), key, secret)
		grant.ExpiresAt = b.ExpiresAt
		return err
	})
	p, err := progress(err, "the key is ready")
	return grant, p, err
}

func (s session) grant(bucket, key, secret string) (providers.Grant, error) {
	u, err := url.Parse(s.server.Advertised)
	if err != nil || u.Hostname() == "" {
		return providers.Grant{}, fault.ProviderFailed.Errorf("The S3 server's advertised address is malformed.")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return providers.Grant{}, fault.ProviderFailed.Errorf("The S3 server's advertised port is no number.")
	}
	query := url.Values{"region": {s.server.Region}, "path_style": {"true"}, "tls": {strconv.FormatBool(u.Scheme == "https")}}
	uri := url.URL{Scheme: "s3", User: url.UserPassword(key, secret), Host: net.JoinHostPort(u.Hostname(), port), Path: "/" + bucket, RawQuery: query.Encode()}
	return providers.Grant{
		Credentials: map[string]any{
			"uri": uri.String(), "host": u.Hostname(), "port": number, "username": key, "password": secret,
			"endpoint": u.Scheme + "://" + u.Host, "bucket": bucket, "region": s.server.Region, "access_key_id": key, "secret_access_key": secret, "path_style": true,
		},
		Endpoints: []providers.Endpoint{{Host: u.Hostname(), Ports: []string{port}, Protocol: "tcp"}},
	}, nil
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
