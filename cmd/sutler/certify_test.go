package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/providers/providertest"
)

// certify runs the command with a configuration of one provider more than goodConfig's fake.
func certify(ctx context.Context, t *testing.T, more string, args ...string) (c certificate, said string, code int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sutler.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(goodConfig, "[10.0.0.0/8]", "[127.0.0.0/8]", 1)+more), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, talk bytes.Buffer
	code = execute(ctx, append([]string{"provider", "certify", "--config", path, "--json"}, args...),
		terminal{in: strings.NewReader(""), out: &out, err: &talk, env: func(string) string { return "" }})
	if out.Len() > 0 {
		if err := json.Unmarshal(out.Bytes(), &c); err != nil {
			t.Fatalf("%s: %v", out.String(), err)
		}
	}
	return c, talk.String(), code
}

func (c *certificate) results(of string) (names []string) {
	for _, l := range c.Checks {
		if l.Result == of {
			names = append(names, l.Name)
		}
	}
	return names
}

func TestCertifyTheFake(t *testing.T) {
	c, said, code := certify(t.Context(), t, "", "make-believe")
	if code != exitOK || !c.Passed || len(c.results("failed")) > 0 || len(c.Checks) != len(providertest.Checks()) {
		t.Errorf("%d, failed %v: %s", code, c.results("failed"), said)
	}
	if c.Provider != "make-believe" || c.Driver != "fake" || c.Offering != "fake" || c.Plan != "sync" || c.At.IsZero() {
		t.Errorf("%+v", c)
	}
	if not := c.results("not_offered"); !slices.Contains(not, "state_survives") || !slices.Contains(not, "excess_told") {
		t.Errorf("a fake in memory has no second process, and nothing here can pass its limit: %v", not)
	}
	for _, l := range c.Checks {
		if l.Name == "revoked_in_time" && (l.Revoked == nil || l.Revoked.N < 5 || l.Revoked.Worst > 5000) {
			t.Errorf("%+v", l.Revoked)
		}
	}
}

func TestCertifyALiar(t *testing.T) {
	c, said, code := certify(t.Context(), t, "", "make-believe", "--plan", "fake:lying", "--timeout", "5s")
	if code != exitProvider || c.Passed || !slices.Contains(c.results("failed"), "inspect_honest") || !strings.Contains(said, "does not do everything") {
		t.Errorf("%d, failed %v: %s", code, c.results("failed"), said)
	}
}

func TestCertifyRefuses(t *testing.T) {
	for want, args := range map[string][]string{
		`Did you mean "make-believe"`: {"make-belief"},
		`sells no plan "huge"`:        {"make-believe", "--plan", "huge"},
	} {
		if _, said, code := certify(t.Context(), t, "", args...); code != exitNotFound || !strings.Contains(said, want) {
			t.Errorf("%v: %d %s", args, code, said)
		}
	}
	if b, _ := benchOf(nil, nil, "other"); b.Login != nil {
		t.Error("an app logs in to what nobody knows")
	}
}

// Beside a market's own instance, everything that certifying makes is gone in the end, also when it is interrupted, and the other is untouched.
func TestCertifyPostgreSQL(t *testing.T) {
	if testing.Short() {
		t.Skip("short: no servers")
	}
	if err := local.Ensure(t.Context(), "postgresql"); err != nil {
		t.Fatal(err)
	}
	dir, err := local.Temporary("certified")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server, err := local.PostgreSQL(context.Background(), dir, "admin", true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Stop() })
	address := "postgres://sutler:admin@" + server.Address + "/postgres?sslmode=disable"
	d := postgres.New(postgres.Settings{Admin: postgres.Address(address), SSLMode: "disable"})
	t.Cleanup(d.Close)
	sold, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Provision(t.Context(), providers.Instance{ID: "ins_market", Plan: sold[0].Plans[0]}); err != nil {
		t.Fatal(err)
	}
	alone := func() bool {
		names, err := d.List(context.Background())
		return err == nil && len(names) == 1 && names[0] == d.NameOf("ins_market")
	}
	settings := "- name: pg\n  driver: postgres\n  region: eu\n  settings: {admin: \"" + address + "\", tls: disable}\n"
	c, said, code := certify(t.Context(), t, settings, "pg")
	nobody := []string{"counters_reset", "counters_restart"} // whoever certifies a provider neither resets nor restarts its servers
	if code != exitOK || !c.Passed || !slices.Equal(c.results("not_offered"), nobody) {
		t.Errorf("%d, failed %v, not offered %v: %s", code, c.results("failed"), c.results("not_offered"), said)
	}
	if !alone() {
		t.Error("certifying left something, or took what was another's")
	}
	ctx, interrupt := context.WithCancel(t.Context())
	go func() {
		for deadline := time.Now().Add(30 * time.Second); alone() && time.Now().Before(deadline); {
			continue // until it has made something
		}
		interrupt()
	}()
	if _, said, code := certify(ctx, t, settings, "pg"); code != exitInterrupted || !strings.Contains(said, "What was made is removed") || !alone() {
		t.Errorf("interrupted: %d %s", code, said)
	}
}
