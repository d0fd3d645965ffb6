package nats

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

func nameOf(binding string) string { return providers.Name("u", binding) }

// Bind writes the login. The password comes from the binding's Seed, so the same binding is the same login.
func (d *Driver) Bind(_ context.Context, i providers.Instance, b providers.Binding) (providers.Grant, providers.Progress, error) {
	password, err := providers.Password(b.Seed, "nats password")
	if err != nil {
		return providers.Grant{}, providers.Progress{}, fault.Invalid.Wrap(err, "The binding has no seed.")
	}
	asked, err := d.settings.Networks.Of(b.Params)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	network := asked.Or(d.usual())
	account, err := d.keys.account(i.ID)
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.claims(account.public); err != nil {
		if errors.Is(err, server.ErrMissingAccount) {
			err = notThere()
		}
		return providers.Grant{}, providers.Progress{}, err
	}
	hash := sha256.Sum256([]byte(password))
	l := login{Name: nameOf(b.ID), Binding: b.ID, Account: account.public, Hash: hash[:]}
	if err := d.folder.putLogin(l); err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	credentials, err := credentialsOf(network, url.UserPassword(l.Name, password))
	if err != nil {
		return providers.Grant{}, providers.Progress{}, err
	}
	credentials["username"], credentials["password"] = l.Name, password
	return providers.Grant{Credentials: credentials, Endpoints: network.Endpoints(), ExpiresAt: b.ExpiresAt}, providers.Progress{Done: true, Note: "the login is ready"}, nil
}

// Unbind removes the login and closes its connections.
func (d *Driver) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	name := nameOf(b.ID)
	account, err := d.keys.account(i.ID)
	if err != nil {
		return providers.Progress{}, err
	}
	d.mu.Lock() // whoever was judged before has an answer on its way now
	err = remove(d.folder.login(name))
	d.mu.Unlock()
	if err == nil {
		err = d.kick(ctx, account.public, name)
	}
	return providers.Progress{Done: err == nil, Note: "the login is gone"}, err
}

// kick closes the connections of an account, or of one user of it, and returns when there are none. Answers to logins judged before
// are waited for first: the server handles our connection's messages in order, so when it answers our ping, each of them has become
// a connection that the list shows.
func (d *Driver) kick(ctx context.Context, account, user string) error {
	for {
		if err := d.settle(ctx); err != nil {
			return err
		}
		list, err := d.connections(account, user)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, c := range list {
			_ = d.server.DisconnectClientByID(c.Cid) // gone by itself meanwhile: as wanted
		}
	}
}

// settle waits for the server to have handled all that we sent before.
func (d *Driver) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := d.callout.FlushWithContext(ctx); err != nil {
		return fault.Unavailable.Wrap(err, "The NATS server does not answer.")
	}
	return nil
}

// connections lists the open connections of an account, or of one user of it.
func (d *Driver) connections(account, user string) ([]*server.ConnInfo, error) {
	z, err := d.server.Connz(&server.ConnzOptions{Username: true, Account: account, User: user, State: server.ConnOpen, Limit: 1 << 20})
	if err != nil {
		return nil, err
	}
	return z.Conns, nil
}
