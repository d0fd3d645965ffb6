package postgres_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// encrypted is a server of its own that takes no login without TLS, and the authority that signed its certificate, also as a file.
func encrypted(t *testing.T) (address string, ca []byte, file string) {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	dir, err := local.Temporary("postgres-tls")
	if err != nil {
		t.Fatal(err)
	}
	s, err := local.PostgreSQL(t.Context(), dir, "admin", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Stop()
		_ = os.RemoveAll(s.Dir)
	})
	c, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(s.Dir, "data")
	for name, content := range map[string][]byte{
		"cert.pem": c.Cert, "key.pem": c.Key, "pg_hba.conf": []byte("hostssl all all 127.0.0.1/32 scram-sha-256\n"),
	} {
		owned(t, data, name, content)
	}
	su := connect(t, "postgres://sutler:admin@"+s.Address+"/postgres?sslmode=disable")
	for _, sql := range []string{`ALTER SYSTEM SET ssl_cert_file = 'cert.pem'`, `ALTER SYSTEM SET ssl_key_file = 'key.pem'`, `ALTER SYSTEM SET ssl = on`, `SELECT pg_reload_conf()`} {
		execute(t, su, sql)
	}
	ca, file = c.CA, filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	// The server reads its configuration a moment after it was told to.
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		plain, err := pgx.Connect(t.Context(), "postgres://sutler:admin@"+s.Address+"/postgres?sslmode=disable")
		if err != nil {
			return s.Address, ca, file
		}
		_ = plain.Close(t.Context())
		if time.Now().After(deadline) {
			t.Fatal("the server still takes plain logins")
		}
	}
}

// owned writes a file that belongs to whom the folder belongs to, and to nobody else.
func owned(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if about, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Chown(path, int(about.Uid), int(about.Gid)); err != nil {
			t.Fatal(err)
		}
	}
}

// loginWith connects as an app does that puts the authority of its credentials into a file. It tells whether that is over TLS.
func loginWith(t *testing.T, uri string, ca []byte) (bool, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app-ca.pem")
	if err := os.WriteFile(file, ca, 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := pgx.Connect(t.Context(), uri+"&sslrootcert="+file)
	if err != nil {
		return false, err
	}
	defer c.Close(context.WithoutCancel(t.Context()))
	_, encrypted := c.PgConn().Conn().(*tls.Conn)
	return encrypted, c.Ping(t.Context())
}

func TestEverythingOverTLS(t *testing.T) {
	address, ca, file := encrypted(t)
	_, port, _ := net.SplitHostPort(address)
	d := postgres.New(postgres.Settings{
		Admin:      postgres.Address("postgres://sutler:admin@" + address + "/postgres?sslmode=verify-full&sslrootcert=" + file),
		Advertised: net.JoinHostPort("localhost", port), SSLMode: "verify-full", CA: string(ca),
	})
	t.Cleanup(d.Close)
	i := made(t, d, "ins_tls")
	b, credentials := bind(t, d, i, "bnd_tls")
	uri, authority := credentials["uri"].(string), []byte(credentials["ca"].(string))
	if credentials["sslmode"] != "verify-full" || !bytes.Equal(authority, ca) {
		t.Fatalf("credentials: %v", credentials)
	}
	if tls, err := loginWith(t, uri, authority); err != nil || !tls {
		t.Fatalf("over TLS: %t, %v", tls, err)
	}
	stranger, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := loginWith(t, uri, stranger.CA); err == nil {
		t.Error("a server that another authority signed for was believed")
	}
	if _, err := loginWith(t, strings.Replace(uri, "verify-full", "disable", 1), authority); err == nil {
		t.Error("the server took a login without TLS")
	}
	var copied bytes.Buffer
	if err := d.Backup(t.Context(), i, &copied); err != nil || copied.Len() == 0 {
		t.Errorf("a backup over TLS: %d bytes, %v", copied.Len(), err)
	}
	if _, err := d.Unbind(t.Context(), i, b); err != nil {
		t.Fatal(err)
	}
	if _, err := loginWith(t, uri, authority); err == nil {
		t.Error("the login works after it was taken away")
	}
}

func TestAdministratorBelievesNoOtherAuthority(t *testing.T) {
	address, _, _ := encrypted(t)
	stranger, err := providertest.NewCertificate()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "stranger.pem")
	if err := os.WriteFile(file, stranger.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	d := postgres.New(postgres.Settings{Admin: postgres.Address("postgres://sutler:admin@" + address + "/postgres?sslmode=verify-full&sslrootcert=" + file)})
	t.Cleanup(d.Close)
	if err := d.Probe(t.Context()); err == nil {
		t.Fatal("the market gave its password to a server that it cannot know")
	}
}

func TestNetworksAndTargets(t *testing.T) {
	d := postgres.New(postgres.Settings{
		Admin: postgres.Address(superuser(t)), SSLMode: "disable",
		Networks: providers.Networks{"private": {Address: "db.inside.example.com:6432", TLS: "verify-full", CA: "PEM of the inside"}},
	})
	t.Cleanup(d.Close)
	p := providers.New(providers.Settings{Name: "pg", Failures: 1000}, d, nil)
	if err := providertest.Networks(t.Context(), p, map[string]any{"host": "db.inside.example.com", "port": 6432, "sslmode": "verify-full", "ca": "PEM of the inside"}); err != nil {
		t.Error(err)
	}
	if err := providertest.Targets(t.Context(), p); err != nil {
		t.Error(err)
	}
}
