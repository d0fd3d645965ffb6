package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/osb"
	"github.com/sutlerhq/sutler/providers/postgres"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/web/client"
)

// far is a market that another one sells the plans of.
type far struct {
	*process
	about devJSON
	dir   string
}

func runFar(t *testing.T) far {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "far")
	p, about := runDevMarket(t, dir, "--with-fake")
	return far{p, about, dir}
}

func (f far) driver(t testing.TB) *osb.Driver {
	d := osb.New(osb.Settings{
		URL: f.about.OSB.URL, Username: f.about.OSB.Username, Password: f.about.OSB.Password, Currency: "EUR", Poll: 50 * time.Millisecond,
		Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	t.Cleanup(d.Close)
	return d
}

// store is the far market's own, to look into.
func (f far) store() site { return site{store: "sqlite://" + filepath.Join(f.dir, "sutler.db")} }

// left counts what the far market holds for its platform.
func (f far) left(t *testing.T) int {
	t.Helper()
	return f.store().count(t, `SELECT (SELECT count(*) FROM instances WHERE state <> 'gone') + (SELECT count(*) FROM bindings WHERE state <> 'gone')`)
}

// near starts a market that sells the far one's plans, and waits until they are on its shelf.
func (f far) near(t *testing.T, terms string) (site, *process) {
	t.Helper()
	s := newSite(t, "sqlite://"+filepath.Join(t.TempDir(), "sutler.db"), "first", fmt.Sprintf(
		"- name: far\n  driver: osb\n  region: afar\n  settings: {url: %q, username: %q, password: %q, prefix: far-, poll: 100ms, refresh: 1s}\n%segress: [127.0.0.0/8]\n",
		f.about.OSB.URL, f.about.OSB.Username, f.about.OSB.Password, terms))
	p := s.run(t)
	p.await(t, "catalog of the far market", func() bool {
		list, err := s.client().Market(t.Context())
		return err == nil && len(list) > 0
	})
	return s, p
}

const farTerms = `  offerings:
  - offering: far-fake
    plans:
    - name: sync
      metrics: [{name: requests, unit: request, aggregation: sum, kind: delta}]
      rates: [{name: Requests, model: per_unit, metric: requests, unit: "0.01"}]
    - {name: slowly, from: async}
    - {name: rotatable}
    - {name: failing}
    - {name: flaky}
  - offering: far-nats
    plans: [{name: dev}]
`

// TestOneMarketSellsAnother: app, near market, far market, real backend, all over the wire.
func TestOneMarketSellsAnother(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	f := runFar(t)
	s, p := f.near(t, farTerms)
	at := client.Place{Org: devOrg, Project: devProject}
	if _, err := s.client().CreateApp(t.Context(), client.NewApp{Name: "web", Org: devOrg, Project: devProject}); err != nil {
		t.Fatal(err)
	}
	for _, plan := range []string{"far-fake:sync", "far-fake:slowly", "far-fake:rotatable", "far-fake:flaky", "far-nats:dev"} {
		name := strings.NewReplacer(":", "-").Replace(plan)
		i, err := s.client().CreateInstance(t.Context(), client.NewInstance{Want: plan, Org: devOrg, Project: devProject, Name: name})
		if err != nil {
			t.Fatalf("%s: %v", plan, err)
		}
		s.awaitReady(t, p, i.ID)
		b, err := s.client().Bind(t.Context(), client.NewBinding{Instance: name, App: "web", Org: devOrg, Project: devProject, Alias: strings.ToUpper(strings.ReplaceAll(name, "-", "_"))})
		if err != nil {
			t.Fatalf("%s: %v", plan, err)
		}
		c := s.credentials(t, p, b.ID)
		if c["uri"] == nil || c["password"] == nil {
			t.Errorf("%s: the credentials lack something", plan)
		}
		switch plan {
		case "far-fake:sync":
			s.reports(t, "far", i.ID)
		case "far-fake:slowly":
			if _, err := s.client().UpdateInstance(t.Context(), at, name, client.InstanceChange{Params: json.RawMessage(`{"size":3}`)}); err != nil {
				t.Errorf("update: %v", err)
			}
			p.await(t, "end of the update", func() bool {
				u, err := s.client().Instance(t.Context(), at, name)
				return err == nil && u.State == "ready"
			})
		case "far-fake:rotatable":
			next, err := s.client().Rotate(t.Context(), b.ID)
			if err != nil {
				t.Fatal(err)
			}
			if again := s.credentials(t, p, next.ID); again["password"] == c["password"] {
				t.Error("the rotation gave the old password")
			}
			if n := f.store().count(t, `SELECT count(*) FROM bindings WHERE predecessor <> ''`); n != 1 {
				t.Errorf("the far market saw %d rotations", n)
			}
		}
		p.await(t, "instance that may be destroyed", func() bool { _, err := s.client().DestroyInstance(t.Context(), i.ID); return err == nil })
	}
	s.refuses(t, p, "far-fake:failing")
	f.await(t, "far market without anything of the near one", func() bool { return f.left(t) == 0 })
	for _, log := range []string{p.out.String(), f.out.String()} {
		if strings.Contains(log, f.about.OSB.Password) {
			t.Error("the login of the far market is in a log")
		}
	}
}

// refuses orders what the far market cannot make: the order fails with its reason.
func (s site) refuses(t *testing.T, p *process, plan string) {
	t.Helper()
	i, err := s.client().CreateInstance(t.Context(), client.NewInstance{Want: plan, Org: devOrg, Project: devProject, Name: "failing"})
	if err != nil {
		t.Fatal(err)
	}
	p.await(t, "failure", func() bool {
		op, err := s.client().Operation(t.Context(), i.Operation, 0)
		return err == nil && op.State == "failed"
	})
}

// reports posts usage as the far market would, with the key of its provider: for its own instance it counts.
func (s site) reports(t *testing.T, provider, instance string) {
	t.Helper()
	key, err := s.client().CreateProviderKey(t.Context(), provider)
	if err != nil {
		t.Fatal(err)
	}
	body := fmt.Sprintf(`{"specversion":"1.0","id":"1","source":"far","type":"requests","subject":%q,"time":%q,"data":{"value":"12"}}`, instance, time.Now().UTC().Format(time.RFC3339Nano))
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/usage/events", bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/cloudevents+json")
	req.Header.Set("Authorization", "Bearer "+key.Secret)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		t.Fatalf("the report got %d", resp.StatusCode)
	}
	used, err := s.client().Usage(t.Context(), client.Place{Org: devOrg}, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range used {
		if u.InstanceID == instance && u.Metric == "requests" && u.Quantity == "12" {
			return
		}
	}
	t.Errorf("what was reported is not there: %+v", used)
}

// TestAnUpstreamThatGoesAway: its plans stay listed, new instances are refused, and it is sold again when it is back.
func TestAVanishedPlanKeepsItsInstances(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	f := runFar(t)
	s, p := f.near(t, "")
	i := s.order(t, p, "far-fake:sync")
	s.awaitReady(t, p, i.ID)
	if p.stop(t) != 0 {
		t.Fatal("it did not stop")
	}
	f.kill()
	p = s.run(t)
	here := func() []client.Offering { list, _ := s.client().Market(t.Context()); return list }
	p.await(t, "last known catalog", func() bool { return len(here()) > 0 })
	if _, err := s.client().CreateInstance(t.Context(), client.NewInstance{Want: "far-fake:sync", Org: devOrg, Project: devProject, Name: "later"}); err == nil {
		t.Error("an upstream that is away took an order")
	} else if e, ok := errors.AsType[*client.Error](err); !ok || e.Status != http.StatusServiceUnavailable {
		t.Errorf("refused with %v", err)
	}
	if kept, err := s.client().Instance(t.Context(), client.Place{Org: devOrg, Project: devProject}, i.ID); err != nil || kept.State != "ready" {
		t.Errorf("the instance: %+v %v", kept, err)
	}
}

// TestConformanceOfAnUpstream runs the whole suite on PostgreSQL behind a far market.
func TestConformanceOfAnUpstream(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	f := runFar(t)
	d := f.driver(t)
	p := providers.New(providers.Settings{Name: "far", Failures: 1000}, d, nil)
	var plan, other catalog.Plan
	f.await(t, "postgresql of the far market", func() bool {
		list, err := p.Offerings(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			if o.Kind == "postgresql" && len(o.Plans) > 1 {
				plan, other = o.Plans[0], o.Plans[1]
			}
		}
		return plan.Name != ""
	})
	f.await(t, "answer of the far market's PostgreSQL", func() bool {
		_, err := p.Provision(t.Context(), providers.Instance{ID: "ins_first", Plan: plan})
		return fault.KindOf(err) != fault.Unavailable || err == nil
	})
	h := providertest.Harness{
		Bench: providertest.BenchOf(postgres.Login, postgres.Trespass, postgres.Cling), Provider: p, Plan: plan, Other: other,
		Leftovers: func(context.Context) ([]string, error) {
			return []string{fmt.Sprint(f.left(t))}, nil
		},
		Reopen: func(context.Context) (*providers.Provider, error) {
			return providers.New(providers.Settings{Name: "far"}, f.driver(t), nil), nil
		},
	}
	providertest.Conform(t, 2*time.Minute, func(*testing.T) providertest.Harness { return h })
}
