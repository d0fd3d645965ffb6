package mysql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/mysql"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func TestNetworksAndTLS(t *testing.T) {
	t.Parallel()
	authority, options := certified(t)
	s := newBox(t, options...)
	file := kept(t, authority)
	_, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		t.Fatal(err)
	}
	d := open(t, mysql.Settings{
		Admin: mysql.Address(s.URL() + "/?tls=verify-full&ca=" + file),
		Networks: providers.Networks{
			"default": {Address: "localhost:" + port, TLS: "verify-full", CA: string(authority)},
			"private": {Address: s.Address, TLS: "disable"},
		},
	})
	i := made(t, d, "ins_tls")
	b := providers.Binding{ID: "bnd_tls", Seed: []byte("0123456789abcdef"), Params: json.RawMessage(`{}`)}
	g, _, err := d.Bind(t.Context(), i, b)
	if err != nil {
		t.Fatal(err)
	}
	if uri := fmt.Sprint(g.Credentials["uri"]); !strings.Contains(uri, "localhost:"+port) || !strings.Contains(uri, "ssl-mode=VERIFY_IDENTITY") || g.Credentials["ca"] != string(authority) {
		t.Errorf("%s", uri)
	}
	a, err := enter(t.Context(), g.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := texts(t.Context(), a.Conn, "SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS WHERE VARIABLE_NAME = 'Ssl_version'"); err != nil || len(got) != 1 || got[0] == "" {
		t.Errorf("the session is not over TLS: %v %v", got, err)
	}
	a.Close()
	for why, with := range map[string]map[string]any{
		"the server takes a login of verify-full without TLS":                {"sslmode": "disable"},
		"another authority's word is taken for the server's certificate":     {"ca": string(stranger(t))},
		"the server's certificate is believed without anybody's word for it": {"ca": ""},
	} {
		other := maps.Clone(g.Credentials)
		maps.Copy(other, with)
		if a, err := enter(t.Context(), other); err == nil {
			a.Close()
			t.Error(why)
		}
	}
	b.ID, b.Params = "bnd_private", json.RawMessage(`{"network":"private"}`)
	p, _, err := d.Bind(t.Context(), i, b)
	if err != nil || p.Credentials["host"] != "127.0.0.1" {
		t.Fatalf("%v %v", p.Credentials["host"], err)
	}
	entered(t, p.Credentials)
	if in, err := d.Inspect(t.Context(), i); err != nil || len(in.Sessions) != 2 {
		t.Errorf("%+v %v", in, err)
	}
	var out bytes.Buffer
	if err := d.Backup(t.Context(), i, &out); err != nil || out.Len() == 0 {
		t.Errorf("a backup over TLS: %v", err)
	}
}

// kept is a file that holds an authority.
func kept(t *testing.T, authority []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, authority, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestConformanceOverTLS: the checks in which logins are made, with a private authority on the administrator's way and the apps'.
func TestConformanceOverTLS(t *testing.T) {
	t.Parallel()
	authority, options := certified(t)
	s := newBox(t, options...)
	_, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		t.Fatal(err)
	}
	h := harnessOf(t, s, mysql.Settings{
		Admin:    mysql.Address(s.URL() + "/?tls=verify-full&ca=" + kept(t, authority)),
		Networks: providers.Networks{"default": {Address: "localhost:" + port, TLS: "verify-full", CA: string(authority)}},
	})
	if err := h.Provider.Probe(t.Context()); err != nil {
		t.Fatal(err)
	}
	providertest.Conform(t, time.Minute, func(*testing.T) providertest.Harness { return h },
		"credentials_complete", "credentials_work", "bindings_share", "tenants_apart", "trespass_refused", "revoked_session", "revoked_while_connecting", "revoked_clinging", "backup_restores", "target_answers", "nothing_left")
}

func TestAdministratorBelievesNoOtherAuthority(t *testing.T) {
	t.Parallel()
	_, options := certified(t)
	s := newBox(t, options...)
	for _, mode := range []string{"verify-ca", "verify-full"} {
		d := open(t, mysql.Settings{Admin: mysql.Address(s.URL() + "/?tls=" + mode + "&ca=" + kept(t, stranger(t)))})
		if err := d.Probe(t.Context()); err == nil {
			t.Errorf("%s: the market gave its password to a server that it cannot know", mode)
		}
	}
}

func TestNetworksAndTargets(t *testing.T) {
	d := open(t, mysql.Settings{
		Admin:    mysql.Address(admin(t)),
		Networks: providers.Networks{"private": {Address: "db.inside.example.com:3307", TLS: "verify-full", CA: "PEM of the inside"}},
	})
	p := providers.New(providers.Settings{Name: "my", Failures: 1000}, d, nil)
	if err := providertest.Networks(t.Context(), p, map[string]any{"host": "db.inside.example.com", "port": 3307, "sslmode": "verify-full", "ca": "PEM of the inside"}); err != nil {
		t.Error(err)
	}
	if err := providertest.Targets(t.Context(), p); err != nil {
		t.Error(err)
	}
}
