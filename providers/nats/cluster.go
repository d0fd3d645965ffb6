package nats

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"strings"
	"sync"

	"github.com/nats-io/jwt/v2"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

var (
	_ providers.Driver    = (*Cluster)(nil)
	_ providers.Updater   = (*Cluster)(nil)
	_ providers.Metered   = (*Cluster)(nil)
	_ providers.Suspender = (*Cluster)(nil)
	_ providers.Inspector = (*Cluster)(nil)
	_ providers.Prober    = (*Cluster)(nil)
	_ providers.Targeter  = (*Cluster)(nil)
)

// ClusterSettings describe a given server or cluster in operator mode.
type ClusterSettings struct {
	Offering    string             // name in the market; "nats"
	Servers     []string           // nats://host:port or tls://host:port, as the market reaches them
	OperatorKey string             // seed of the operator or of one of its signing keys (SO…): it signs accounts
	AccountKey  string             // what accounts' keys are derived from; the operator key unless told. It must never change.
	SystemCreds string             // text of the creds file of a user of the system account
	CA          []byte             // PEM of the authority that signed the servers' certificates; given to apps, too
	TLS         bool               // apps connect with TLS
	Advertised  string             // host:port that apps are given; empty: the first server's
	Networks    providers.Networks // other ways to them, by the network that a binding names
	Plans       []catalog.Plan
}

// Cluster sells accounts on servers that somebody else runs. It keeps nothing: accounts are in the servers' resolvers, their keys and the
// logins' are derived. It is safe for use by many goroutines.
type Cluster struct {
	settings ClusterSettings
	address  string // host:port that apps are given
	operator nkeys.KeyPair
	secret   []byte
	system   *natsgo.Conn

	mu sync.Mutex // claims are read, changed and pushed by one call at a time
}

// Connect opens the connection to the servers, without waiting for them. Errors: keys or creds that are none, no server.
func Connect(s ClusterSettings) (*Cluster, error) {
	if len(s.Servers) == 0 {
		return nil, fault.Invalid.Errorf("The NATS cluster has no server.")
	}
	s.Offering = cmp.Or(s.Offering, "nats")
	c := &Cluster{settings: s, secret: []byte(cmp.Or(s.AccountKey, s.OperatorKey))}
	if err := c.place(); err != nil {
		return nil, err
	}
	var err error
	if c.operator, err = nkeys.FromSeed([]byte(s.OperatorKey)); err != nil {
		return nil, fault.Invalid.Errorf("The operator's key is no seed of a key.")
	}
	if public, err := c.operator.PublicKey(); err != nil || !nkeys.IsValidPublicOperatorKey(public) {
		return nil, fault.Invalid.Errorf("The operator's key is no key of an operator: its seed begins with SO.")
	}
	options, err := c.options()
	if err != nil {
		return nil, err
	}
	c.system, err = natsgo.Connect(strings.Join(s.Servers, ","), options...)
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The NATS servers cannot be used as they are configured.")
	}
	return c, nil
}

// options are those of our own connections.
func (c *Cluster) options() ([]natsgo.Option, error) {
	token, err := jwt.ParseDecoratedJWT([]byte(c.settings.SystemCreds))
	if err != nil || token == "" {
		return nil, fault.Invalid.Errorf("The system account's creds hold no login.")
	}
	if _, err := jwt.ParseDecoratedUserNKey([]byte(c.settings.SystemCreds)); err != nil {
		return nil, fault.Invalid.Errorf("The system account's creds hold no key.")
	}
	list := []natsgo.Option{
		natsgo.Name("sutler"), natsgo.UserCredentialBytes([]byte(c.settings.SystemCreds)), natsgo.RetryOnFailedConnect(true), natsgo.MaxReconnects(-1),
	}
	trust, err := c.trust()
	if err != nil || trust == nil {
		return list, err
	}
	return append(list, trust), nil
}

// trust has our own connections check the servers' certificates by the given authority.
func (c *Cluster) trust() (natsgo.Option, error) {
	if len(c.settings.CA) == 0 {
		return nil, nil //nolint:nilnil // no authority, no option
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(c.settings.CA) {
		return nil, fault.Invalid.Errorf("The authority of the NATS servers is no certificate in PEM form.")
	}
	return natsgo.Secure(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}), nil
}

// place finds the address that apps are given.
func (c *Cluster) place() error {
	address := c.settings.Advertised
	if address == "" {
		_, address, _ = strings.Cut(c.settings.Servers[0], "://")
		address = address[strings.LastIndex(address, "@")+1:]
	}
	c.address = strings.TrimRight(address, "/")
	if _, _, err := (providers.Network{Address: c.address}).Place(); err != nil {
		return fault.Invalid.Errorf("The address %q that apps are given is not host:port.", address)
	}
	return nil
}

// Stop closes our connection. Accounts and logins stay.
func (c *Cluster) Stop() { c.system.Close() }

// Probe asks the servers for an answer.
func (c *Cluster) Probe(ctx context.Context) error {
	_, err := c.servers(ctx)
	return err
}

// Offerings lists the plans.
func (c *Cluster) Offerings(context.Context) ([]catalog.Offering, error) {
	return offerings(c.settings.Offering, c.settings.Plans, c.settings.Networks), nil
}

// ClusterOfferings are the plans that a cluster is sold by when no others are told.
func ClusterOfferings() []catalog.Offering { return offerings("nats", nil, nil) }

// Target is the address that apps are given.
func (c *Cluster) Target(context.Context, providers.Instance) (latency.Target, error) {
	return latency.Target{Address: c.usual().Address, Protocol: "nats"}, nil
}

// account gives the key pair of an instance's account: the same one every time.
func (c *Cluster) account(instance string) (pair, error) { return c.derive("nats account ", instance) }

// signer gives the key pair that signs the account's logins; an operator may insist on one beside the account's own.
func (c *Cluster) signer(instance string) (pair, error) { return c.derive("nats signer ", instance) }

func (c *Cluster) derive(use, instance string) (p pair, err error) {
	raw, err := providers.Key(c.secret, use+providers.Name("i", instance), 32)
	if err != nil {
		return p, err
	}
	if p.KeyPair, err = nkeys.FromRawSeed(nkeys.PrefixByteAccount, raw); err != nil {
		return p, fmt.Errorf("nats key of an account: %w", err)
	}
	p.public, err = p.PublicKey()
	return p, err
}
