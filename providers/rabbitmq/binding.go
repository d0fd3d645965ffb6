package rabbitmq

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"time"

	rabbithole "github.com/michaelklishin/rabbit-hole/v2"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// Bind makes a user who may do everything in the instance's virtual host. Called again it puts the user back to what it should be.
func (d *Driver) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	password, err := providers.Password(b.Seed, "rabbitmq password")
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.Invalid.Wrap(err, "The binding has no seed.")
	}
	hash, err := hashed(password, b.Seed)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	asked, err := d.settings.Networks.Of(b.Params)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	var grant providers.Grant
	err = d.inTurn(ctx, i.ID, func(_ context.Context, s session) error {
		v, user := vhostOf(i.ID), userOf(i.ID, b.ID)
		if err := s.here(v); err != nil {
			return err
		}
		shut, err := s.shut(v)
		if err != nil {
			return err
		}
		tags := d.tags()
		if shut {
			tags = rabbithole.UserTags{}
		}
		if err := ended(s.PutUser(user, rabbithole.UserSettings{Tags: tags, PasswordHash: hash, HashingAlgorithm: rabbithole.HashingAlgorithmSHA256})); err != nil {
			return err
		}
		if err := ended(s.UpdateTopicPermissionsIn(v, user, label(b.ID))); err != nil {
			return err
		}
		if err := ended(s.UpdatePermissionsIn(v, user, rabbithole.Permissions{Configure: ".*", Write: ".*", Read: ".*"})); err != nil {
			return err
		}
		grant, err = s.grant(asked.Or(d.settings.usual(s.server)), v, user, password)
		grant.ExpiresAt = b.ExpiresAt
		return err
	})
	p, err := progress(err, "the login is ready")
	return grant, p, err
}

const labelled = "sutler binding "

// label writes the binding's id beside its user: a right on an exchange that is nowhere. The server has no comments on users, and the names
// it keeps elsewhere are atoms, which it never forgets.
func label(binding string) rabbithole.TopicPermissions {
	return rabbithole.TopicPermissions{Exchange: labelled + binding, Write: ".*", Read: ".*"}
}

// hashed is what the server keeps of a password. It is all that ever reaches the server, so none of its logs can hold a password.
func hashed(password string, seed []byte) (string, error) {
	salt, err := providers.Key(seed, "rabbitmq salt", 4)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(salt, password...))
	return base64.StdEncoding.EncodeToString(append(salt[:4:4], sum[:]...)), nil
}

func (s session) grant(n providers.Network, vhost, user, password string) (providers.Grant, error) {
	host, port, err := n.Place()
	if err != nil {
		return providers.Grant{}, err
	}
	scheme := "amqp"
	if n.Encrypted() {
		scheme = "amqps"
	}
	uri := url.URL{Scheme: scheme, User: url.UserPassword(user, password), Host: n.Address, Path: "/" + vhost}
	c := map[string]any{
		"uri": uri.String(), "host": host, "port": port, "username": user, "password": password, "vhost": vhost, "tls": n.Encrypted(),
	}
	if n.CA != "" {
		c["ca"] = n.CA
	}
	if s.settings.Management {
		c["management_url"] = s.Endpoint
	}
	return providers.Grant{Credentials: c, Endpoints: n.Endpoints()}, nil
}

// usual is how apps reach AMQP that name no network.
func (s Settings) usual(server Server) providers.Network {
	n := providers.Network{Address: server.AMQP, TLS: "disable", CA: s.CA}
	if s.TLS {
		n.TLS = "verify-full" // clients check whom they speak to
	}
	return s.Networks[providers.DefaultNetwork].Or(n)
}

// Unbind shuts the login first: no password and no right is left, so that no request of an open connection is allowed either. Then it closes
// the user's connections until none is left, and removes the user.
func (d *Driver) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		user := userOf(i.ID, b.ID)
		if _, err := s.GetUser(user); err != nil {
			return unless(missing, err)
		}
		return s.removeUser(ctx, vhostOf(i.ID), user)
	})
	return progress(err, "the login is gone")
}

// unless takes an error that says nothing new for none.
func unless(known func(error) bool, err error) error {
	if known(err) {
		return nil
	}
	return err
}

// removeUser takes a user's access away, ends its connections and removes it.
func (s session) removeUser(ctx context.Context, vhost, user string) error {
	if err := ended(s.PutUserWithoutPassword(user, rabbithole.UserSettings{Tags: rabbithole.UserTags{}})); err != nil {
		return err
	}
	if err := unless(missing, ended(s.ClearPermissionsIn(vhost, user))); err != nil {
		return err
	}
	if err := s.hangUp(ctx, user); err != nil {
		return err
	}
	return ended(s.DeleteUser(user))
}

// twice is the pause between two looks at a user's connections.
const twice = 25 * time.Millisecond

// hangUp closes a user's connections until two looks in a row show none: one whose login had passed when the door was shut is known a moment
// late. The list by user is the server's own; those by virtual host are statistics and lag by seconds.
func (s session) hangUp(ctx context.Context, user string) error {
	for quiet := 0; quiet < 2; {
		open, err := s.connections(user)
		if err != nil {
			return err
		}
		quiet++
		if len(open) > 0 {
			quiet = 0
			if err := s.ask(http.MethodDelete, connectionsOf(user), nil); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(twice):
		}
	}
	return nil
}

func connectionsOf(user string) string { return "connections/username/" + url.PathEscape(user) }

// connections lists what a user has open now; nothing when there is no such user.
func (s session) connections(user string) (open []rabbithole.ConnectionInfo, err error) {
	err = s.ask(http.MethodGet, connectionsOf(user), &open)
	return open, unless(missing, err)
}
