package mysql_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/sutlerhq/sutler/providers/providertest"
)

// issued makes a certificate for localhost that names itself its authority.
func issued(t *testing.T) (certificate, key []byte) {
	t.Helper()
	c, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	return c.Cert, c.Key
}

// certified gives an authority and the options of a server that it vouches for.
func certified(t *testing.T) (authority []byte, options []string) {
	t.Helper()
	certificate, key := issued(t)
	dir, err := os.MkdirTemp("", "sutler-tls-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // the server is another user
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"cert.pem": certificate, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil { //nolint:gosec // a key that lives as long as the test, read by another user
			t.Fatal(err)
		}
	}
	return certificate, []string{"--ssl-cert=" + filepath.Join(dir, "cert.pem"), "--ssl-key=" + filepath.Join(dir, "key.pem")}
}

func stranger(t *testing.T) []byte {
	t.Helper()
	certificate, _ := issued(t)
	return certificate
}
