package nats

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// born is the instant that logins say they were issued at: the same one in every process, so that a binding's login is always the same text,
// and before anything is revoked.
var born = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// login is the JWT of a user of an instance's account. The same arguments give the same text, which the library's own encoder does not.
func (c *Cluster) login(instance, user, name string, issued time.Time) (string, error) {
	account, err := c.account(instance)
	if err != nil {
		return "", err
	}
	signer, err := c.signer(instance)
	if err != nil {
		return "", err
	}
	u := jwt.NewUserClaims(user)
	u.Name, u.Issuer, u.IssuerAccount, u.IssuedAt, u.ID = name, signer.public, account.public, issued.Unix(), providers.Name("j", user)
	u.Type, u.Version = jwt.UserClaim, 2
	head, err := json.Marshal(jwt.Header{Type: jwt.TokenTypeJwt, Algorithm: jwt.AlgorithmNkey})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(u)
	if err != nil {
		return "", err
	}
	e := base64.RawURLEncoding
	text := e.EncodeToString(head) + "." + e.EncodeToString(body)
	signature, err := signer.Sign([]byte(text))
	return text + "." + e.EncodeToString(signature), err
}

// user gives the key pair of a binding's login, derived from its Seed.
func user(b providers.Binding) (p pair, err error) {
	raw, err := providers.Key(b.Seed, "nats user", 32)
	if err != nil {
		return p, fault.Invalid.Wrap(err, "The binding has no seed.")
	}
	if p.KeyPair, err = nkeys.FromRawSeed(nkeys.PrefixByteUser, raw); err != nil {
		return p, fmt.Errorf("nats key of a user: %w", err)
	}
	p.public, err = p.PublicKey()
	return p, err
}

// Bind signs the login. It changes nothing at the servers, which trust what the account has signed until it is revoked.
func (c *Cluster) Bind(ctx context.Context, i providers.Instance, b providers.Binding) (g providers.Grant, p providers.Progress, err error) {
	asked, err := c.settings.Networks.Of(b.Params)
	if err != nil {
		return g, p, err
	}
	account, err := c.account(i.ID)
	if err != nil {
		return g, p, err
	}
	a, err := c.claims(ctx, account.public)
	if err == nil && a == nil {
		err = notThere()
	}
	if err != nil {
		return g, p, err
	}
	u, err := user(b)
	if err != nil {
		return g, p, err
	}
	seed, err := u.Seed()
	if err != nil {
		return g, p, err
	}
	token, err := c.login(i.ID, u.public, b.ID, born)
	if err != nil {
		return g, p, err
	}
	creds, err := jwt.FormatUserConfig(token, seed)
	if err != nil {
		return g, p, err
	}
	network := asked.Or(c.usual())
	if g.Credentials, err = credentialsOf(network, nil); err != nil {
		return g, p, err
	}
	for name, value := range map[string]string{"username": u.public, "password": string(seed), "jwt": token, "creds": string(creds)} {
		g.Credentials[name] = value
	}
	g.Endpoints, g.ExpiresAt = network.Endpoints(), b.ExpiresAt
	return g, providers.Progress{Done: true, Note: "the login is ready"}, nil
}

// Unbind revokes the login on all servers and waits until none has a connection of it.
func (c *Cluster) Unbind(ctx context.Context, i providers.Instance, b providers.Binding) (providers.Progress, error) {
	u, err := user(b)
	if err != nil {
		return providers.Progress{}, err
	}
	account, err := c.change(ctx, i.ID, func(a *jwt.AccountClaims) { a.RevokeAt(u.public, time.Now()) })
	if fault.KindOf(err) == fault.Refused {
		return providers.Progress{Done: true}, nil // no server knows the account
	}
	for n := 0; err == nil && n < 2; n++ {
		if n > 0 {
			err = pause(ctx, settling)
		}
		if err == nil {
			err = c.kick(ctx, account.public, u.public)
		}
	}
	return providers.Progress{Done: err == nil, Note: "the login is gone"}, err
}

// settling is how long a server may take from judging a login to counting its connection: one that was judged before the revocation shows
// only then.
const settling = 100 * time.Millisecond

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connected is a connection of an account on one of the servers.
type connected struct {
	Server string
	ID     uint64 `json:"cid"`
	User   string `json:"authorized_user"`
}

// connections lists the open connections of an account, or of one user of it, on all servers.
func (c *Cluster) connections(ctx context.Context, account, user string) ([]connected, error) {
	type page struct {
		Connections []connected `json:"connections"`
	}
	all, err := ask[page](ctx, c, askConns, map[string]any{"acc": account, "auth": true, "limit": 1 << 20})
	if err != nil {
		return nil, err
	}
	var list []connected
	for _, a := range all {
		for _, open := range a.Data.Connections {
			if open.Server = a.Server.ID; user == "" || open.User == user {
				list = append(list, open)
			}
		}
	}
	return list, nil
}

// kick closes the connections of an account, or of one user of it. Servers do so by themselves when a login is revoked; this is for
// connections that were being made at that moment, and to know that none is left.
func (c *Cluster) kick(ctx context.Context, account, user string) error {
	for {
		list, err := c.connections(ctx, account, user)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, open := range list {
			question, err := json.Marshal(map[string]uint64{"cid": open.ID})
			if err != nil {
				return err
			}
			if err := c.system.Publish(fmt.Sprintf(kickClient, open.Server), question); err != nil {
				return away(err)
			}
		}
		if err := c.system.FlushWithContext(ctx); err != nil {
			return away(err)
		}
	}
}
