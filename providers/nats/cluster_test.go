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
	"fmt"
	"math/big"
	"net"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/nats"
)

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
	g.conform(t, "provision_again", "tenants_apart", "trespass_refused", "credentials_work", "revoked_session", "revoked_while_connecting", "suspend_keeps", "readings_sound", "nothing_left", "late_provision")
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
