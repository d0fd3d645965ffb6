package nats

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/jwt/v2"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// claims fetches an account's claims, the newest that any server has; nil when none has them.
func (c *Cluster) claims(ctx context.Context, public string) (*jwt.AccountClaims, error) {
	all, err := c.gather(ctx, fmt.Sprintf(fetchClaims, public), nil)
	if err != nil {
		return nil, err
	}
	var newest *jwt.AccountClaims
	for _, token := range all {
		if len(token) == 0 {
			continue
		}
		a, err := jwt.DecodeAccountClaims(string(token))
		if err != nil {
			return nil, fault.ProviderFailed.Wrap(err, "A NATS server knows the account by claims that cannot be read.")
		}
		if newest == nil || a.IssuedAt > newest.IssuedAt {
			newest = a
		}
	}
	return newest, nil
}

func (c *Cluster) push(ctx context.Context, a *jwt.AccountClaims) error {
	token, err := a.Encode(c.operator)
	if err != nil {
		return err
	}
	return c.tell(ctx, pushClaims, token)
}

// change edits the claims of an instance's account on all servers.
func (c *Cluster) change(ctx context.Context, instance string, f func(a *jwt.AccountClaims)) (pair, error) {
	account, err := c.account(instance)
	if err != nil {
		return account, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.claims(ctx, account.public)
	if err == nil && a == nil {
		err = notThere()
	}
	if err != nil {
		return account, err
	}
	f(a)
	return account, c.push(ctx, a)
}

// Provision writes the account. One that is there stays as it is: a call that comes late opens nothing that was closed since.
func (c *Cluster) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	account, err := c.account(i.ID)
	if err != nil {
		return providers.Progress{}, err
	}
	signer, err := c.signer(i.ID)
	if err != nil {
		return providers.Progress{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	a, err := c.claims(ctx, account.public)
	if err != nil || a != nil {
		return providers.Progress{Done: err == nil}, err
	}
	a = jwt.NewAccountClaims(account.public)
	a.Name = providers.Name("i", i.ID)
	a.Limits = limits(i.Plan)
	a.SigningKeys.Add(signer.public)
	if err = c.push(ctx, a); err == nil {
		err = c.trusted(i.ID)
	}
	return providers.Progress{Done: err == nil, Note: "the account is ready"}, err
}

// trusted logs in to an account that was just made: servers keep what any key has signed, and find out at the first login whose it was.
func (c *Cluster) trusted(instance string) error {
	conn, err := c.enter(instance)
	if errors.Is(err, natsgo.ErrAuthorization) {
		return fault.ProviderFailed.Wrap(err, "The NATS servers do not let anybody into the new account.").WithHint("Is the operator's key one that they trust?")
	}
	if err != nil {
		return away(err)
	}
	conn.Close()
	return nil
}

// Update puts the new plan's limits on the account.
func (c *Cluster) Update(ctx context.Context, _, new providers.Instance) (providers.Progress, error) {
	_, err := c.change(ctx, new.ID, func(a *jwt.AccountClaims) { a.Limits = limits(new.Plan) })
	return providers.Progress{Done: err == nil}, err
}

// Suspend revokes all logins at once and closes every connection. Streams stay.
func (c *Cluster) Suspend(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	account, err := c.change(ctx, i.ID, func(a *jwt.AccountClaims) { a.RevokeAt(jwt.All, time.Now()) })
	if err == nil {
		err = c.kick(ctx, account.public, "")
	}
	return providers.Progress{Done: err == nil}, err
}

// Resume lets in again all logins that were not revoked by themselves.
func (c *Cluster) Resume(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	_, err := c.change(ctx, i.ID, func(a *jwt.AccountClaims) { delete(a.Revocations, jwt.All) })
	return providers.Progress{Done: err == nil}, err
}

// Deprovision revokes every login, closes every connection, and removes the account with its streams.
func (c *Cluster) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	account, err := c.change(ctx, i.ID, func(a *jwt.AccountClaims) { a.RevokeAt(jwt.All, time.Now()) })
	if errors.Is(err, fault.Refused) {
		return providers.Progress{Done: true}, nil // no server knows the account
	}
	if err == nil {
		err = c.kick(ctx, account.public, "")
	}
	if err == nil {
		err = c.purge(ctx, i.ID)
	}
	if err == nil {
		err = c.drop(ctx, account)
	}
	return providers.Progress{Done: err == nil, Note: "the account is gone"}, err
}

// drop has all servers forget the account.
func (c *Cluster) drop(ctx context.Context, account pair) error {
	public, err := c.operator.PublicKey()
	if err != nil {
		return err
	}
	request := jwt.NewGenericClaims(public)
	request.Data["accounts"] = []string{account.public}
	token, err := request.Encode(c.operator)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tell(ctx, dropClaims, token)
}

// purge deletes the account's streams, as a user of the account who is good for this alone.
func (c *Cluster) purge(ctx context.Context, instance string) error {
	conn, err := c.enter(instance)
	if err != nil {
		return away(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	names := js.StreamNames(ctx)
	for name := range names.Name() {
		if err := js.DeleteStream(ctx, name); err != nil && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return fault.Unavailable.Wrap(err, "A stream of the account could not be deleted yet.")
		}
	}
	if err := names.Err(); err != nil && !errors.Is(err, jetstream.ErrJetStreamNotEnabled) && !errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount) {
		return fault.Unavailable.Wrap(err, "The streams of the account could not be listed yet.")
	}
	return nil
}

// enter connects as a user of the account whose login is younger than a suspension.
func (c *Cluster) enter(instance string) (*natsgo.Conn, error) {
	key, err := nkeys.CreateUser()
	if err != nil {
		return nil, err
	}
	public, err := key.PublicKey()
	if err != nil {
		return nil, err
	}
	token, err := c.login(instance, public, "sutler", time.Now().Add(time.Minute))
	if err != nil {
		return nil, err
	}
	options := []natsgo.Option{
		natsgo.Name("sutler"), natsgo.NoReconnect(), natsgo.Timeout(patience),
		natsgo.UserJWT(func() (string, error) { return token, nil }, key.Sign),
	}
	if trust, err := c.trust(); err != nil {
		return nil, err
	} else if trust != nil {
		options = append(options, trust)
	}
	return natsgo.Connect(c.system.ConnectedUrl(), options...)
}
