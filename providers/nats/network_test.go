package nats_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"testing"

	natsgo "github.com/nats-io/nats.go"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/nats"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func TestNetworksAndTargets(t *testing.T) {
	d := start(t, nats.Settings{Networks: providers.Networks{"private": {Address: "bus.inside.example.com:4223", TLS: "verify-full", CA: "PEM of the inside"}}})
	p := providers.New(providers.Settings{Name: "nats", Failures: 1000}, d, nil)
	if err := providertest.Networks(t.Context(), p, map[string]any{"host": "bus.inside.example.com", "port": 4223, "tls": true, "ca": "PEM of the inside"}); err != nil {
		t.Error(err)
	}
	if err := providertest.Targets(t.Context(), p); err != nil {
		t.Error(err)
	}
}

// trusting has a client believe one authority.
func trusting(ca string) natsgo.Option {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	return natsgo.Secure(&tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots})
}

func TestEmbeddedServerOverTLS(t *testing.T) {
	certificate, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	d := start(t, nats.Settings{Cert: string(certificate.Cert), Key: string(certificate.Key), CA: string(certificate.CA)})
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := providers.Instance{ID: "ins_tls", Plan: list[0].Plans[0]}
	if p, err := d.Provision(t.Context(), i); err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	g, _, err := d.Bind(t.Context(), i, providers.Binding{ID: "bnd_tls", Seed: []byte("0123456789abcdef")})
	if err != nil {
		t.Fatal(err)
	}
	uri, ca := fmt.Sprint(g.Credentials["uri"]), fmt.Sprint(g.Credentials["ca"])
	if !strings.HasPrefix(uri, "tls://") || ca != string(certificate.CA) {
		t.Fatalf("credentials: %v", g.Credentials)
	}
	c, err := natsgo.Connect(uri, trusting(ca))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.TLSConnectionState(); err != nil {
		t.Error("the connection is not over TLS:", err)
	}
	if other, err := natsgo.Connect(uri, trusting(string(stranger.CA))); err == nil {
		other.Close()
		t.Error("a server that another authority signed for was believed")
	}
	if conn, err := net.Dial("tcp", d.Address()); err != nil {
		t.Error(err)
	} else {
		defer conn.Close()
		said := make([]byte, 4096)
		if n, err := conn.Read(said); err != nil || !strings.Contains(string(said[:n]), `"tls_required":true`) {
			t.Errorf("the server does not insist on TLS: %s %v", said[:n], err)
		}
	}
}
