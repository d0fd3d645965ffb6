package rabbitmq

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net"
	"net/http"
	"net/url"
	"strconv"
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
		grant, err = s.grant(v, user, password)
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

func (s session) grant(vhost, user, password string) (providers.Grant, error) {
	host, port, err := net.SplitHostPort(s.server.AMQP)
	if err != nil {
		return providers.Grant{}, fault.ProviderFailed.Wrap(err, "The RabbitMQ server's advertised address is malformed.")
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return providers.Grant{}, fault.ProviderFailed.Wrap(err, "The RabbitMQ server's advertised port is no number.")
	}
	scheme := "amqp"
	if s.settings.TLS {
		scheme = "amqps"
	}
	uri := url.URL{Scheme: scheme, User: url.UserPassword(user, password), Host: s.server.AMQP, Path: "/" + vhost}
	c := map[string]any{
		"uri": uri.String(), "host": host, "port": number, "username": user, "password": password, "vhost": vhost, "tls": s.settings.TLS,
	}
	if s.settings.CA != "" {
		c["ca"] = s.settings.CA
	}
	if s.settings.Management {
		c["management_url"] = s.Endpoint
	}
	return providers.Grant{Credentials: c, Endpoints: []providers.Endpoint{{Host: host, Ports: []string{port}, Protocol: "tcp"}}}, nil
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
