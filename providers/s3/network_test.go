package s3_test

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/s3"
)

func TestNetworksAndTargets(t *testing.T) {
	d := s3.New(s3.Settings{
		Server: s3.At(place(server(t))), Networks: providers.Networks{"private": {Address: "https://objects.inside.example.com", CA: "PEM of the inside"}},
	})
	p := providers.New(providers.Settings{Name: "s3", Failures: 1000}, d, nil)
	if err := providertest.Networks(t.Context(), p, map[string]any{
		"host": "objects.inside.example.com", "port": 443, "endpoint": "https://objects.inside.example.com", "ca": "PEM of the inside",
	}); err != nil {
		t.Error(err)
	}
	if err := providertest.Targets(t.Context(), p); err != nil {
		t.Error(err)
	}
}

// encrypted is a server of its own that speaks TLS alone.
func encrypted(t *testing.T, c providertest.Certificate) s3.Server {
	t.Helper()
	server(t) // its program is there
	dir, err := local.Temporary("s3-tls")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	//nolint:gosec // the server runs as another user, and the key is good for this test
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "cert.pem"), c.Cert, 0o644), os.WriteFile(filepath.Join(dir, "key.pem"), c.Key, 0o644)); err != nil {
		t.Fatal(err)
	}
	s, err := local.S3(t.Context(), dir, "secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	return s3.Server{Endpoint: "https://" + strings.Replace(s.Address, "127.0.0.1", "localhost", 1), AccessKey: s.User, Secret: s.Password}
}

func TestEverythingOverTLS(t *testing.T) {
	certificate, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	settings := s3.Settings{CA: string(certificate.CA), Server: s3.At(encrypted(t, certificate))}
	d := s3.New(settings)
	i := made(t, d, "ins_tls")
	b := providers.Binding{ID: "bnd_tls", Seed: []byte("0123456789abcdef")}
	g, _, err := d.Bind(t.Context(), i, b)
	if err != nil {
		t.Fatal(err)
	}
	c := g.Credentials
	if c["tls"] != true || c["ca"] != settings.CA || !strings.HasPrefix(c["endpoint"].(string), "https://") || !strings.Contains(c["uri"].(string), "tls=true") {
		t.Fatalf("credentials: %v at %v", c["tls"], c["endpoint"])
	}
	a, err := s3.Login(t.Context(), c)
	if err != nil {
		t.Fatalf("with the authority of the credentials: %v", err)
	}
	if err := a.Put(t.Context(), "kept", "yes"); err != nil {
		t.Error(err)
	}
	var tar bytes.Buffer
	if err := d.Backup(t.Context(), i, &tar); err != nil || tar.Len() == 0 {
		t.Errorf("a backup over TLS: %d bytes, %v", tar.Len(), err)
	}
	wrong := map[string]string{"another authority": string(stranger.CA), "the machine's authorities": "", "no certificate": "PEM of nothing"}
	for name, ca := range wrong {
		other := maps.Clone(c)
		other["ca"] = ca
		if _, err := s3.Login(t.Context(), other); err == nil {
			t.Errorf("an app with %s believed the server", name)
		}
		settings.CA = ca
		if err := s3.New(settings).Probe(t.Context()); err == nil {
			t.Errorf("with %s the market believed a server that it cannot know", name)
		}
	}
	if p, err := d.Unbind(t.Context(), i, b); err != nil || !p.Done {
		t.Errorf("unbind: %v", err)
	}
}
