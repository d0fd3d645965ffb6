package nats_test

import (
	"context"
	"net"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/nats"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// patience is for one answer of a server.
const patience = 30 * time.Second

// given are servers of somebody else, with the keys that he gives us.
type given struct {
	servers            []*server.Server
	options            []*server.Options
	operatorKey, creds string
	system             string // public key of the system account
	ca                 []byte
}

func must[T any](t testing.TB, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// owner makes an operator with a signing key and a system account, and the options of a server of his.
func owner(t testing.TB) (g *given, options func(name string) *server.Options) {
	t.Helper()
	operator, signing, system := must2(t, nkeys.CreateOperator), must2(t, nkeys.CreateOperator), must2(t, nkeys.CreateAccount)
	systemID, err := system.PublicKey()
	must(t, 0, err)
	signingID, err := signing.PublicKey()
	must(t, 0, err)
	operatorID, err := operator.PublicKey()
	must(t, 0, err)
	oc := jwt.NewOperatorClaims(operatorID)
	oc.SystemAccount = systemID
	oc.SigningKeys.Add(signingID)
	oc.StrictSigningKeyUsage = true
	oc, err = jwt.DecodeOperatorClaims(must3(t, oc.Encode, operator))
	must(t, 0, err)
	gate := must2(t, nkeys.CreateAccount)
	gateID, err := gate.PublicKey()
	must(t, 0, err)
	sys := jwt.NewAccountClaims(systemID)
	sys.SigningKeys.Add(gateID)
	sysToken := must3(t, sys.Encode, signing)
	user := must2(t, nkeys.CreateUser)
	userID, err := user.PublicKey()
	must(t, 0, err)
	userSeed, err := user.Seed()
	must(t, 0, err)
	uc := jwt.NewUserClaims(userID)
	uc.IssuerAccount = systemID
	creds, err := jwt.FormatUserConfig(must3(t, uc.Encode, gate), userSeed)
	must(t, 0, err)
	seed, err := signing.Seed()
	must(t, 0, err)
	g = &given{operatorKey: string(seed), creds: string(creds), system: systemID}
	return g, func(name string) *server.Options {
		dir := t.TempDir()
		resolver, err := server.NewDirAccResolver(dir+"/jwt", 1000, time.Minute, server.HardDelete)
		must(t, 0, err)
		must(t, 0, resolver.Store(systemID, sysToken))
		return &server.Options{
			ServerName: name, Host: "127.0.0.1", Port: -1, TrustedOperators: []*jwt.OperatorClaims{oc}, SystemAccount: systemID, AccountResolver: resolver,
			JetStream: true, StoreDir: dir + "/store", JetStreamMaxStore: 1 << 40, JetStreamMaxMemory: 1 << 40, NoSigs: true, NoLog: true,
		}
	}
}

func must2(t testing.TB, f func() (nkeys.KeyPair, error)) nkeys.KeyPair {
	t.Helper()
	k, err := f()
	return must(t, k, err)
}

func must3(t testing.TB, encode func(nkeys.KeyPair) (string, error), k nkeys.KeyPair) string {
	t.Helper()
	text, err := encode(k)
	return must(t, text, err)
}

func (g *given) start(t testing.TB, o *server.Options) {
	t.Helper()
	s, err := server.NewServer(o)
	must(t, 0, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	g.servers, g.options = append(g.servers, s), append(g.options, o)
}

// restart ends each server and starts it again at the same address with what it kept.
func (g *given) restart(t testing.TB) {
	t.Helper()
	old, options := g.servers, g.options
	g.servers, g.options = nil, nil
	for n, s := range old {
		place, ok := s.Addr().(*net.TCPAddr)
		if !ok {
			t.Fatalf("it listens on %v", s.Addr())
		}
		s.Shutdown()
		s.WaitForShutdown()
		o := options[n].Clone()
		o.Port, o.TrustedKeys = place.Port, nil // the keys were taken from the operators
		resolver, err := server.NewDirAccResolver(filepath.Join(filepath.Dir(o.StoreDir), "jwt"), 1000, time.Minute, server.HardDelete)
		must(t, 0, err)
		o.AccountResolver = resolver
		g.start(t, o)
	}
	g.ready(t)
}

// ready waits until all servers answer.
func (g *given) ready(t testing.TB) {
	t.Helper()
	for _, s := range g.servers {
		if !s.ReadyForConnections(30 * time.Second) {
			t.Fatal("a server does not answer")
		}
	}
}

// one starts a single server.
func one(t testing.TB) *given {
	t.Helper()
	g, options := owner(t)
	g.start(t, options("one"))
	g.ready(t)
	return g
}

func (g *given) settings() nats.ClusterSettings {
	s := nats.ClusterSettings{OperatorKey: g.operatorKey, SystemCreds: g.creds, CA: g.ca, TLS: len(g.ca) > 0}
	for _, one := range g.servers {
		s.Servers = append(s.Servers, one.ClientURL())
	}
	return s
}

func (g *given) connect(t testing.TB) *nats.Cluster {
	t.Helper()
	c, err := nats.Connect(g.settings())
	must(t, 0, err)
	t.Cleanup(c.Stop)
	return c
}

// dial connects as an app does, by the credentials alone.
func dial(c map[string]any, more ...natsgo.Option) (*natsgo.Conn, error) {
	return nats.Dial(c, more...)
}

func (g *given) harness(t testing.TB) providertest.Harness {
	t.Helper()
	c := g.connect(t)
	p := providers.New(providers.Settings{Name: "nats", Failures: 1000}, c, nil)
	must(t, 0, p.Probe(t.Context()))
	list, err := p.Offerings(t.Context())
	must(t, 0, err)
	return providertest.Harness{
		Provider: p, Plan: list[0].Plans[0], Other: list[0].Plans[1], Bench: providertest.BenchOf(nats.Login, nats.Trespass, nats.Cling),
		Leftovers: func(ctx context.Context) ([]string, error) { return c.Accounts(ctx) },
		Restart:   func(context.Context, providers.Instance) error { g.restart(t); return nil },
		Reopen: func(ctx context.Context) (*providers.Provider, error) {
			p := providers.New(providers.Settings{Name: "nats", Failures: 1000}, g.connect(t), nil)
			return p, p.Probe(ctx)
		},
	}
}

func (g *given) conform(t *testing.T, only ...string) []providertest.Result {
	t.Helper()
	h := g.harness(t)
	return providertest.Conform(t, 2*time.Minute, func(*testing.T) providertest.Harness { return h }, only...)
}

func TestConformanceOfAGivenServer(t *testing.T) {
	t.Parallel()
	providertest.Keep(t, "nats, given", one(t).conform(t))
}
