package main

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// What `ca` says in a configuration is what the market's own way to a server is verified by, and nothing else is.
func TestTheMarketBelievesTheConfiguredAuthority(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/whoami" {
			_, _ = w.Write([]byte(`{"name":"admin","tags":"administrator"}`))
		}
	}))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("admin", "secret")
	var admin, secret conf.Secret
	for text, to := range map[string]*conf.Secret{u.String(): &admin, "secret": &secret} {
		if err := to.UnmarshalText([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string][]byte{"right": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), "wrong": stranger.CA, "none": nil} {
		file := ""
		if text != nil {
			file = filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		for driver, s := range map[string]driverSettings{
			"rabbitmq": &rabbitmqSettings{Admin: admin, CA: file, Advertise: advertise{defaultNetwork: {Address: "localhost:5671"}}},
			"s3":       &s3Settings{Endpoint: server.URL, AccessKey: "admin", SecretKey: secret, CA: file},
		} {
			o, err := s.open(t.Context(), opening{egress: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
			if err != nil {
				t.Fatal(driver, err)
			}
			err = o.driver.(providers.Prober).Probe(t.Context()) // what stands there is no S3 server, and must say so itself to have been spoken to
			_, unknown := errors.AsType[*tls.CertificateVerificationError](err)
			if unknown == (name == "right") {
				t.Errorf("%s, %s authority: %v", driver, name, err)
			}
		}
	}
}
