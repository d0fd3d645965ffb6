package redis_test

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/redis"
)

func TestNetworksAndTargets(t *testing.T) {
	for name, c := range map[string]struct {
		settings redis.Settings
		private  string
		want     map[string]any
	}{
		"own":    {redis.Settings{Servers: fleet(t)}, "cache.inside.example.com", map[string]any{"host": "cache.inside.example.com"}},
		"shared": {redis.Settings{Shared: known(sharedServer(t))}, "cache.inside.example.com:6380", map[string]any{"host": "cache.inside.example.com", "port": 6380, "tls": true, "ca": "PEM of the inside"}},
	} {
		t.Run(name, func(t *testing.T) {
			private := providers.Network{Address: c.private}
			if c.settings.Servers == nil {
				private.TLS, private.CA = "verify-full", "PEM of the inside"
			}
			c.settings.Networks = providers.Networks{"private": private}
			p := open(t, c.settings)
			if err := providertest.Networks(t.Context(), p, c.want); err != nil {
				t.Error(err)
			}
			if err := providertest.Targets(t.Context(), p); err != nil {
				t.Error(err)
			}
		})
	}
}

func known(address string) func() (string, error) {
	return func() (string, error) { return address, nil }
}

// encryptedServer is a shared server that speaks TLS on a port of its own.
func encryptedServer(t *testing.T, c providertest.Certificate) string {
	t.Helper()
	port, err := local.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	_, err = fleet(t).Make(t.Context(), "encrypted", func(p local.Place) (local.Run, error) {
		program, err := local.Program("redis")
		sum := sha256.Sum256([]byte("admin"))
		users, cert, key := filepath.Join(p.Data, "users.acl"), filepath.Join(p.Data, "cert.pem"), filepath.Join(p.Data, "key.pem")
		err = errors.Join(err, os.WriteFile(users, fmt.Appendf(nil, "user default off\nuser admin on #%x ~* &* +@all\n", sum), 0o600),
			os.WriteFile(cert, c.Cert, 0o600), os.WriteFile(key, c.Key, 0o600))
		return local.Run{Program: program, Args: []string{
			"--port", strconv.Itoa(p.Port), "--tls-port", strconv.Itoa(port), "--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no",
			"--bind", "127.0.0.1", "--aclfile", users, "--save", "",
		}, Stop: syscall.SIGTERM}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("rediss://admin:admin@localhost:%d", port)
}

// secretly logs in as an app does that believes one authority.
func secretly(ctx context.Context, uri string, ca []byte) error {
	o, err := client.ParseURL(uri)
	if err != nil {
		return err
	}
	if o.TLSConfig == nil {
		return errors.New("the address asks for no TLS")
	}
	o.TLSConfig = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.TLSConfig.ServerName, RootCAs: x509.NewCertPool()}
	o.TLSConfig.RootCAs.AppendCertsFromPEM(ca)
	o.Protocol, o.DisableIdentity, o.MaxRetries = 2, true, -1
	c := client.NewClient(o)
	defer c.Close()
	return c.Do(ctx, "GET", "x").Err()
}

func TestSharedServerOverTLS(t *testing.T) {
	certificate, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	address := encryptedServer(t, certificate)
	if err := open(t, redis.Settings{Shared: known(address), CA: string(stranger.CA)}).Probe(t.Context()); err == nil {
		t.Fatal("the market gave its password to a server that it cannot know")
	}
	h := plans(t, open(t, redis.Settings{Shared: known(address), CA: string(certificate.CA)}))
	i := providers.Instance{ID: "ins_tls", Plan: h.Plan}
	if p, err := h.Provider.Provision(t.Context(), i); err != nil || !p.Done {
		t.Fatalf("%+v %v", p, err)
	}
	b := providers.Binding{ID: "bnd_tls", Seed: []byte("0123456789abcdef")}
	g, _, err := h.Provider.Bind(t.Context(), i, b)
	if err != nil {
		t.Fatal(err)
	}
	uri, ca := fmt.Sprint(g.Credentials["uri"]), fmt.Sprint(g.Credentials["ca"])
	if err := secretly(t.Context(), uri, []byte(ca)); err == nil || err.Error()[:6] != "NOPERM" { // in, and held to its prefix
		t.Errorf("with the authority of the credentials: %v", err)
	}
	a, err := redis.Login(t.Context(), g.Credentials)
	if err != nil {
		t.Fatal("as conformance is tested:", err)
	}
	a.Close()
	if err := secretly(t.Context(), uri, stranger.CA); err == nil || err.Error()[:4] != "tls:" {
		t.Errorf("with another authority: %v", err)
	}
}
