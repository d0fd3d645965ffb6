package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// relay passes connections on from one address to another, each way after a pause that can be changed meanwhile.
func relay(t *testing.T, from, to string, pause func() time.Duration) string {
	t.Helper()
	l, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer near.Close()
				time.Sleep(pause()) // it is the distance that this stands for
				far, err := net.Dial("tcp", to)
				if err != nil {
					return
				}
				defer far.Close()
				go func() { _, _ = io.Copy(far, near) }() // ends with either of them
				_, _ = io.Copy(near, far)
			}()
		}
	}()
	return l.Addr().String()
}

func noPause() time.Duration { return 0 }

// certifiedPostgres is a server that speaks TLS beside plain, with a certificate for another address, and the file of its authority.
func certifiedPostgres(t *testing.T, at string) (s *local.Server, ca string) {
	t.Helper()
	dir, err := local.Temporary("postgres-private")
	if err != nil {
		t.Fatal(err)
	}
	if s, err = local.PostgreSQL(t.Context(), dir, "admin", true); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = s.Stop()
		_ = os.RemoveAll(s.Dir)
	})
	c, err := providertest.NewCertificate(at)
	if err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(s.Dir, "data")
	info, err := os.Stat(data)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"cert.pem": c.Cert, "key.pem": c.Key} {
		if err := os.WriteFile(filepath.Join(data, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
		if about, ok := info.Sys().(*syscall.Stat_t); ok {
			if err := os.Chown(filepath.Join(data, name), int(about.Uid), int(about.Gid)); err != nil {
				t.Fatal(err)
			}
		}
	}
	db, err := sql.Open("pgx", "postgres://sutler:admin@"+s.Address+"/postgres?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, q := range []string{"ALTER SYSTEM SET ssl_cert_file = 'cert.pem'", "ALTER SYSTEM SET ssl_key_file = 'key.pem'", "ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()"} {
		if _, err := db.ExecContext(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, c.CA, 0o600); err != nil {
		t.Fatal(err)
	}
	return s, ca
}

// command runs the command line against the market, and gives its outputs and exit code.
func (s site) command(t *testing.T, args ...string) (string, int) {
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), path, args...)
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	c.Env = append(os.Environ(), "SUTLER_URL="+s.url, "SUTLER_TOKEN="+s.token, "SUTLER_ORG="+devOrg, "SUTLER_PROJECT="+devProject, "NO_COLOR=1", "HOME="+t.TempDir())
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), c.ProcessState.ExitCode()
}

func (s site) must(t *testing.T, args ...string) string {
	t.Helper()
	out, code := s.command(t, args...)
	if code != 0 {
		t.Fatalf("sutler %s: exit %d:\n%s", strings.Join(args, " "), code, out)
	}
	return out
}

// TestBindingsGetTheAddressOfTheirNetwork, with its TLS mode and authority, through the broker and into the environment.
func TestBindingsGetTheAddressOfTheirNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	privateMarket(t, "127.0.0.1")
}

// privateMarket sells a PostgreSQL that apps of one network reach at an address of theirs, over TLS.
func privateMarket(t *testing.T, at string) {
	t.Helper()
	pg, ca := certifiedPostgres(t, at)
	private := relay(t, net.JoinHostPort(at, "0"), pg.Address, noPause)
	s := newSite(t, "sqlite://"+filepath.Join(t.TempDir(), "sutler.db"), "first", fmt.Sprintf(`- name: pg
  driver: postgres
  region: eu
  settings:
    admin: postgres://sutler:admin@%s/postgres?sslmode=verify-full&sslrootcert=%s
    tls: disable
    advertise:
      default: db.example.com:5432
      private: {address: %q, tls: verify-full, ca: %s}
`, pg.Address, ca, private, ca))
	p := s.run(t)
	s.awaitReady(t, p, s.order(t, p, "postgresql:dev").ID)
	s.must(t, "app", "create", "web")
	if out, code := s.command(t, "bind", "thing", "--app", "web", "--network", "moon"); code != exitUsage || !strings.Contains(out, "private") {
		t.Errorf("a network that is not there: exit %d:\n%s", code, out)
	}
	s.must(t, "bind", "thing", "--app", "web", "--network", "private", "--as", "NEAR")
	s.must(t, "bind", "thing", "--app", "web", "--as", "FAR", "--network", "default")
	var env map[string]string
	if err := json.Unmarshal([]byte(s.must(t, "env", "--app", "web", "--format", "json")), &env); err != nil {
		t.Fatal(err)
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	if net.JoinHostPort(env["NEAR_HOST"], env["NEAR_PORT"]) != private || env["NEAR_SSLMODE"] != "verify-full" || env["NEAR_CA"] != string(pem) {
		t.Errorf("the private binding: host %s, port %s, mode %s, %d bytes of authority", env["NEAR_HOST"], env["NEAR_PORT"], env["NEAR_SSLMODE"], len(env["NEAR_CA"]))
	}
	if env["FAR_HOST"] != "db.example.com" || env["FAR_SSLMODE"] != "disable" || env["FAR_CA"] != "" {
		t.Errorf("the other binding: host %s, mode %s", env["FAR_HOST"], env["FAR_SSLMODE"])
	}
	reads(t, env["NEAR_URL"]+"&sslrootcert="+ca)
}

// reads asks a database something as an app does.
func reads(t *testing.T, url string) {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.PingContext(t.Context()); err != nil {
		t.Error(err)
	}
}
