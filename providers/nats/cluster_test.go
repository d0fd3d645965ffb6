package nats_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/nats"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// given are servers of somebody else, with the keys that he gives us.
type given struct {
	servers            []*server.Server
	operatorKey, creds string
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
	g = &given{operatorKey: string(seed), creds: string(creds)}
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
	g.servers = append(g.servers, s)
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

// wander listens to everything while the other tenant talks, and asks the servers for what is the operator's.
func wander(_ context.Context, mine, theirs map[string]any) error {
	spy, err := dial(mine)
	if err != nil {
		return err
	}
	defer spy.Close()
	talker, err := dial(theirs)
	if err != nil {
		return err
	}
	defer talker.Close()
	all, err := spy.SubscribeSync(">")
	if err != nil {
		return err
	}
	if err := errors.Join(spy.Flush(), talker.Publish("secret", []byte("of theirs")), talker.Flush(), spy.Flush()); err != nil {
		return err
	}
	if n, _, _ := all.Pending(); n > 0 {
		return nil
	}
	for _, subject := range []string{"$SYS.REQ.SERVER.PING", "$SYS.REQ.SERVER.PING.CONNZ", "$SYS.REQ.SERVER.PING.STATSZ", "$SYS.REQ.CLAIMS.LIST"} {
		if m, err := spy.Request(subject, []byte(`{"auth":true}`), 100*time.Millisecond); err == nil && strings.Contains(string(m.Data), theirs["username"].(string)) {
			return nil
		}
	}
	mixed := map[string]any{"uri": theirs["uri"], "creds": strings.Replace(theirs["creds"].(string), theirs["password"].(string), mine["password"].(string), 1)}
	if ca, ok := theirs["ca"]; ok {
		mixed["ca"] = ca
	}
	if c, err := dial(mixed); err == nil {
		c.Close()
		return nil
	}
	return errors.New("refused everywhere")
}

func (g *given) harness(t testing.TB) providertest.Harness {
	t.Helper()
	c := g.connect(t)
	p := providers.New(providers.Settings{Name: "nats", Failures: 1000}, c, nil)
	must(t, 0, p.Probe(t.Context()))
	list, err := p.Offerings(t.Context())
	must(t, 0, err)
	return providertest.Harness{
		Provider: p, Plan: list[0].Plans[0], Other: list[0].Plans[1], Login: login, Trespass: wander,
		Leftovers: func(ctx context.Context) ([]string, error) { return c.Accounts(ctx) },
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

// authority makes a certificate authority and a certificate of 127.0.0.1.
func authority(t testing.TB) (ca []byte, config *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, 0, err)
	now := time.Now()
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	rootDER, err := x509.CreateCertificate(rand.Reader, root, root, &key.PublicKey, key)
	must(t, 0, err)
	own, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, 0, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "nats"}, NotBefore: root.NotBefore, NotAfter: root.NotAfter,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, root, &own.PublicKey, key)
	must(t, 0, err)
	pair := tls.Certificate{Certificate: [][]byte{leafDER}, PrivateKey: own}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}), &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	g, options := owner(t)
	ca, config := authority(t)
	o := options("secure")
	o.TLSConfig = config
	g.start(t, o)
	g.ready(t)
	g.ca = ca
	g.conform(t, "credentials_complete", "credentials_work", "revoked_session", "nothing_left")
	c := g.connect(t)
	_, credentials := sold(t, c)
	if u, err := url.Parse(credentials["uri"].(string)); err != nil || u.Scheme != "tls" || credentials["tls"] != true || !strings.Contains(credentials["ca"].(string), "BEGIN CERTIFICATE") {
		t.Errorf("an app is not told of TLS")
	}
	blind := map[string]any{"uri": credentials["uri"], "creds": credentials["creds"]}
	if conn, err := dial(blind); err == nil {
		conn.Close()
		t.Error("the certificate was taken without its authority")
	}
	other, _ := authority(t)
	s := g.settings()
	s.CA = other
	wrong, err := nats.Connect(s)
	must(t, 0, err)
	defer wrong.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := wrong.Probe(ctx); err == nil {
		t.Error("a server with another authority's certificate was trusted")
	}
}

func sold(t testing.TB, c *nats.Cluster) (providers.Instance, map[string]any) {
	t.Helper()
	list, err := c.Offerings(t.Context())
	must(t, 0, err)
	i := providers.Instance{ID: "ins_" + t.Name(), Plan: list[0].Plans[0]}
	_, err = c.Provision(t.Context(), i)
	must(t, 0, err)
	g, _, err := c.Bind(t.Context(), i, providers.Binding{ID: "bnd_1", Seed: make([]byte, 32)})
	must(t, 0, err)
	return i, g.Credentials
}

// TestACluster: three servers are one market. Logins are revoked on each of them, use adds up over all, and one that goes takes nothing back.
func TestACluster(t *testing.T) {
	t.Parallel()
	g, options := owner(t)
	var ports []int
	var routes []*url.URL
	for range 3 {
		port, err := local.FreePort()
		must(t, 0, err)
		ports, routes = append(ports, port), append(routes, &url.URL{Scheme: "nats-route", Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(port))})
	}
	for n, port := range ports {
		o := options(fmt.Sprintf("node-%d", n))
		o.Cluster, o.Routes = server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}, routes
		g.start(t, o)
	}
	g.ready(t)
	await(t, "a whole cluster", func() bool {
		for _, s := range g.servers {
			if s.NumRoutes() == 0 || !s.JetStreamIsCurrent() {
				return false
			}
		}
		return true
	})
	g.conform(t, "provision_again", "tenants_apart", "credentials_work", "revoked_session", "revoked_while_connecting", "suspend_keeps", "readings_sound", "nothing_left", "late_provision")
	c := g.connect(t)
	i, credentials := sold(t, c)
	var open []*natsgo.Conn
	for _, s := range g.servers {
		there := map[string]any{"uri": s.ClientURL(), "creds": credentials["creds"]}
		var conn *natsgo.Conn
		await(t, "login on every server", func() (ok bool) { var err error; conn, err = dial(there); return err == nil })
		defer conn.Close()
		must(t, 0, conn.Publish("x", []byte("12345")))
		must(t, 0, conn.Flush())
		open = append(open, conn)
	}
	await(t, "the use of all three", func() bool { m, n := sum(t, c, i); return m == "3" && n == 3 })
	if _, err := c.Unbind(t.Context(), i, providers.Binding{ID: "bnd_1", Seed: make([]byte, 32)}); err != nil {
		t.Fatal(err)
	}
	for n, s := range g.servers {
		await(t, "end of the connection", open[n].IsClosed)
		if conn, err := dial(map[string]any{"uri": s.ClientURL(), "creds": credentials["creds"]}); err == nil {
			conn.Close()
			t.Errorf("server %d lets a revoked login in", n)
		}
	}
	if p, err := c.Deprovision(t.Context(), i); err != nil || !p.Done {
		t.Error(p, err)
	}
}

func sum(t testing.TB, c *nats.Cluster, i providers.Instance) (messages string, servers int) {
	t.Helper()
	list, err := c.Read(t.Context(), i)
	if err != nil {
		return "", 0
	}
	total := int64(0)
	for _, r := range list {
		if r.Metric == "messages" {
			total += r.Value.Rat().Num().Int64()
			servers++
		}
	}
	return fmt.Sprint(total), servers
}

func await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) { // servers tell nobody when they are done
		if time.Now().After(deadline) {
			t.Fatalf("there was no %s", what)
		}
	}
}

func TestLimitsOfAGivenServerHold(t *testing.T) {
	t.Parallel()
	g := one(t)
	i, credentials := sold(t, g.connect(t))
	var first *natsgo.Conn
	for n := range i.Plan.Limits["connections"] {
		conn, err := dial(credentials)
		must(t, 0, err)
		defer conn.Close()
		if n == 0 {
			first = conn
		}
	}
	if conn, err := dial(credentials); err == nil {
		conn.Close()
		t.Error("one connection more than the plan allows")
	}
	js, err := jetstream.New(first)
	must(t, 0, err)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "big", MaxBytes: i.Plan.Limits["storage_bytes"] + 1}); err == nil {
		t.Error("a stream larger than the plan allows")
	}
}

func TestClusterSettingsThatAreWrong(t *testing.T) {
	t.Parallel()
	g := one(t)
	for name, change := range map[string]func(s *nats.ClusterSettings){
		"no server":        func(s *nats.ClusterSettings) { s.Servers = nil },
		"no operator":      func(s *nats.ClusterSettings) { s.OperatorKey = "SOMETHING" },
		"a user's key":     func(s *nats.ClusterSettings) { k, _ := nkeys.CreateUser(); b, _ := k.Seed(); s.OperatorKey = string(b) },
		"no creds":         func(s *nats.ClusterSettings) { s.SystemCreds = "password" },
		"no authority":     func(s *nats.ClusterSettings) { s.CA = []byte("x") },
		"no place of apps": func(s *nats.ClusterSettings) { s.Advertised = "nats.example.com" },
	} {
		s := g.settings()
		change(&s)
		if c, err := nats.Connect(s); fault.KindOf(err) != fault.Invalid || strings.Contains(err.Error(), g.operatorKey) {
			t.Errorf("%s: %v", name, err)
			if c != nil {
				c.Stop()
			}
		}
	}
	s := g.settings()
	k := must2(t, nkeys.CreateOperator)
	b, err := k.Seed()
	must(t, 0, err)
	s.OperatorKey = string(b)
	c, err := nats.Connect(s)
	must(t, 0, err)
	defer c.Stop()
	if _, err := c.Provision(t.Context(), providers.Instance{ID: "ins_1"}); err == nil {
		t.Error("a stranger's key makes accounts")
	}
}
