package nats_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/nats-io/jwt/v2"
	"github.com/nats-io/nkeys"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/nats"
)

// deleteAccount has a given server forget an account, as its operator does by hand.
func (g *given) deleteAccount(t testing.TB, account string) {
	t.Helper()
	operator, err := nkeys.FromSeed([]byte(g.operatorKey))
	must(t, 0, err)
	public, err := operator.PublicKey()
	must(t, 0, err)
	request := jwt.NewGenericClaims(public)
	request.Data["accounts"] = []string{account}
	conn, err := nats.Dial(map[string]any{"uri": g.servers[0].ClientURL(), "creds": g.creds})
	must(t, 0, err)
	defer conn.Close()
	answer, err := conn.Request("$SYS.REQ.CLAIMS.DELETE", []byte(must3(t, request.Encode, operator)), patience)
	must(t, 0, err)
	t.Logf("%s", answer.Data)
}

// TestAnAccountThatWasDeletedByHand: what reconcile asks shows that it is gone, nobody gets in, and it is not made anew by being bound.
func TestAnAccountThatWasDeletedByHand(t *testing.T) {
	dir := t.TempDir()
	embedded, g := start(t, nats.Settings{Dir: dir}), one(t)
	given := g.connect(t)
	for name, c := range map[string]struct {
		driver interface {
			providers.Driver
			providers.Inspector
			providers.Metered
		}
		remove func()
	}{
		"embedded": {embedded, func() {
			files, err := filepath.Glob(filepath.Join(dir, "accounts", "*.jwt"))
			must(t, 0, err)
			for _, f := range files {
				raw, err := os.ReadFile(f)
				must(t, 0, err)
				a, err := jwt.DecodeAccountClaims(string(raw))
				must(t, 0, err)
				if a.Name == providers.Name("i", "ins_hand") {
					must(t, 0, os.Remove(f))
				}
			}
		}},
		"given": {given, func() {
			accounts, err := given.Accounts(t.Context())
			must(t, 0, err)
			for _, account := range accounts {
				if account != g.system {
					g.deleteAccount(t, account)
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			list, err := c.driver.Offerings(t.Context())
			must(t, 0, err)
			i := providers.Instance{ID: "ins_hand", Plan: list[0].Plans[0]}
			_, err = c.driver.Provision(t.Context(), i)
			must(t, 0, err)
			b := providers.Binding{ID: "bnd_hand", Seed: make([]byte, 32)}
			grant, _, err := c.driver.Bind(t.Context(), i, b)
			must(t, 0, err)
			if in, err := c.driver.Inspect(t.Context(), i); err != nil || !in.Exists {
				t.Fatalf("before: %+v %v", in, err)
			}
			c.remove()
			if in, err := c.driver.Inspect(t.Context(), i); err != nil || in.Exists {
				t.Errorf("it is said to be there: %+v %v", in, err)
			}
			if _, _, err := c.driver.Bind(t.Context(), i, providers.Binding{ID: "bnd_more", Seed: make([]byte, 32)}); fault.KindOf(err) != fault.Refused {
				t.Errorf("bound to what is gone: %v", err)
			}
			if _, err := c.driver.Read(t.Context(), i); fault.KindOf(err) != fault.Refused {
				t.Errorf("read of what is gone: %v", err)
			}
			if conn, err := nats.Dial(grant.Credentials); err == nil {
				conn.Close()
				t.Error("a login of the account that is gone opens something")
			}
			if p, err := c.driver.Deprovision(t.Context(), i); err != nil || !p.Done {
				t.Errorf("it cannot be destroyed: %+v %v", p, err)
			}
		})
	}
}

// TestAStrangerIsFoundAndRemoved: an account that a Provision made which landed after Deprovision.
func TestAStrangerIsFoundAndRemoved(t *testing.T) {
	embedded, given := start(t, nats.Settings{}), one(t).connect(t)
	for name, d := range map[string]interface {
		providers.Driver
		providers.Inspector
	}{"embedded": embedded, "given": given} {
		t.Run(name, func(t *testing.T) {
			list, err := d.Offerings(t.Context())
			must(t, 0, err)
			i := providers.Instance{ID: "ins_stranger", Plan: list[0].Plans[0]}
			for _, step := range []func(context.Context, providers.Instance) (providers.Progress, error){d.Provision, d.Deprovision, d.Provision} {
				if p, err := step(t.Context(), i); err != nil || !p.Done {
					t.Fatalf("%+v %v", p, err)
				}
			}
			if in, err := d.Inspect(t.Context(), i); err != nil || !in.Exists {
				t.Errorf("a stranger is not seen: %+v %v", in, err)
			}
			if l, ok := d.(providers.Lister); ok {
				if names, err := l.List(t.Context()); err != nil || !slices.Contains(names, l.NameOf(i.ID)) {
					t.Errorf("a stranger is not listed: %v %v", names, err)
				}
			}
			if p, err := d.Deprovision(t.Context(), providers.Instance{ID: i.ID}); err != nil || !p.Done { // by the id alone
				t.Errorf("%+v %v", p, err)
			}
			if in, err := d.Inspect(t.Context(), i); err != nil || in.Exists {
				t.Errorf("a stranger stays: %+v %v", in, err)
			}
		})
	}
}
