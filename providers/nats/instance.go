package nats

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

var errRefused = errors.New("login refused")

// keyTag is the tag that leads from an account's claims back to the name its keys are derived by.
const keyTag = "key:"

func notThere() error {
	return fault.Refused.Errorf("The account is not on the server.").WithHint("It was removed behind the market's back: destroy the instance.")
}

// claims reads an account's claims from the folder.
func (d *Driver) claims(public string) (*jwt.AccountClaims, error) {
	token, err := d.folder.Fetch(public)
	if err != nil {
		return nil, err
	}
	return jwt.DecodeAccountClaims(token)
}

// signerOf finds the keys of an account by the tag in its claims.
func (d *Driver) signerOf(c *jwt.AccountClaims) (nkeys.KeyPair, error) {
	for _, tag := range c.Tags {
		if name, ok := strings.CutPrefix(tag, keyTag); ok {
			p, err := d.keys.derive(nkeys.PrefixByteAccount, "account "+name)
			return p.KeyPair, err
		}
	}
	return nil, errRefused
}

// limit is what a plan allows of one thing; without a word about it, there is no limit.
func limit(p catalog.Plan, name string) int64 {
	if n, ok := p.Limits[name]; ok {
		return n
	}
	return jwt.NoLimit
}

// limits are a plan's, as claims have them. To the server none of something is no limit of it where streams and consumers are counted, so a plan
// with none of either gets no JetStream at all.
func limits(p catalog.Plan) jwt.OperatorLimits {
	l := jwt.OperatorLimits{
		NatsLimits:    jwt.NatsLimits{Subs: limit(p, "subscriptions"), Data: jwt.NoLimit, Payload: limit(p, "payload_bytes")},
		AccountLimits: jwt.AccountLimits{Imports: 0, Exports: 0, WildcardExports: false, Conn: limit(p, "connections"), LeafNodeConn: 0},
		JetStreamLimits: jwt.JetStreamLimits{
			MemoryStorage: limit(p, "memory_bytes"), DiskStorage: limit(p, "storage_bytes"),
			Streams: limit(p, "streams"), Consumer: limit(p, "consumers"),
		},
	}
	if l.Streams == 0 || l.Consumer == 0 {
		l.JetStreamLimits = jwt.JetStreamLimits{}
	}
	return l
}

// apply writes an account's claims and tells the running server.
func (d *Driver) apply(c *jwt.AccountClaims) error {
	token, err := c.Encode(d.keys.operator)
	if err != nil {
		return err
	}
	if err := d.folder.Store(c.Subject, token); err != nil {
		return err
	}
	account, err := d.server.LookupAccount(c.Subject)
	if err != nil {
		return err
	}
	d.server.UpdateAccountClaims(account, c)
	return nil
}

// change edits the claims of an instance's account; f tells whether there is anything to write.
func (d *Driver) change(instance string, f func(c *jwt.AccountClaims) bool) error {
	account, err := d.keys.account(instance)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	c, err := d.claims(account.public)
	if errors.Is(err, server.ErrMissingAccount) {
		return notThere()
	}
	if err != nil || !f(c) {
		return err
	}
	return d.apply(c)
}

// Provision writes the account. One that is there stays as it is: a call that comes late opens nothing that was closed since.
func (d *Driver) Provision(_ context.Context, i providers.Instance) (providers.Progress, error) {
	account, err := d.keys.account(i.ID)
	if err != nil {
		return providers.Progress{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.claims(account.public); !errors.Is(err, server.ErrMissingAccount) {
		return providers.Progress{Done: err == nil}, err
	}
	c := jwt.NewAccountClaims(account.public)
	c.Name = providers.Name("i", i.ID)
	c.Limits = limits(i.Plan)
	c.Tags = jwt.TagList{keyTag + c.Name}
	c.DefaultPermissions.Resp = nil
	err = d.apply(c)
	return providers.Progress{Done: err == nil, Note: "the account is ready"}, err
}

// Deprovision removes the logins, closes every connection, and removes the account with its streams.
func (d *Driver) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	account, err := d.keys.account(i.ID)
	if err != nil {
		return providers.Progress{}, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	logins, err := d.folder.loginsOf(account.public)
	if err != nil {
		return providers.Progress{}, err
	}
	for _, l := range logins {
		if err := remove(d.folder.login(l.Name)); err != nil {
			return providers.Progress{}, err
		}
	}
	if err := d.empty(ctx, account.public); err != nil {
		return providers.Progress{}, err
	}
	if err := os.RemoveAll(filepath.Join(d.settings.Dir, "store", "jetstream", account.public)); err != nil {
		return providers.Progress{}, err
	}
	err = remove(d.folder.account(account.public))
	return providers.Progress{Done: err == nil, Note: "the account is gone"}, err
}

// empty closes an account's connections and deletes its streams in the running server.
func (d *Driver) empty(ctx context.Context, public string) error {
	if _, err := d.claims(public); errors.Is(err, server.ErrMissingAccount) {
		return nil // never made, or removed before: without claims nobody gets in
	}
	if err := d.kick(ctx, public, ""); err != nil {
		return err
	}
	account, err := d.server.LookupAccount(public)
	if err != nil {
		return err
	}
	if !account.JetStreamEnabled() {
		return nil
	}
	return account.DisableJetStream()
}

// Update puts the new plan's limits on the account.
func (d *Driver) Update(_ context.Context, _, new providers.Instance) (providers.Progress, error) {
	err := d.change(new.ID, func(c *jwt.AccountClaims) bool { c.Limits = limits(new.Plan); return true })
	return providers.Progress{Done: err == nil}, err
}

// Suspend refuses logins and closes every connection. Streams stay.
func (d *Driver) Suspend(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.change(i.ID, func(c *jwt.AccountClaims) bool { c.Tags.Add(suspended); return true })
	if err != nil {
		return providers.Progress{}, err
	}
	account, err := d.keys.account(i.ID)
	if err == nil {
		err = d.kick(ctx, account.public, "")
	}
	return providers.Progress{Done: err == nil}, err
}

// Resume lets in again.
func (d *Driver) Resume(_ context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.change(i.ID, func(c *jwt.AccountClaims) bool { c.Tags.Remove(suspended); return true })
	return providers.Progress{Done: err == nil}, err
}
