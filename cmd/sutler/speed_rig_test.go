package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"code.cloudfoundry.org/lager/v3"
	"github.com/pivotal-cf/brokerapi/v10"
	"github.com/pivotal-cf/brokerapi/v10/domain"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/web/client"
)

// callers is how many ask at the same time.
const callers = 8

// speedRig is a market in this process, as `sutler serve` wires it, asked over loopback like any other.
type speedRig struct {
	t        testing.TB
	site     site
	node     *node
	platform client.Platform
	http     *http.Client
	service  string
	plans    map[string]string
}

// newSpeedRig opens the market of a site. With idle workers nothing that is accepted is worked on.
func newSpeedRig(t testing.TB, s site, idle bool) *speedRig {
	t.Helper()
	r := &speedRig{t: t, site: s, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 4 * callers}}, plans: map[string]string{}}
	c, _, err := loadConfig(s.config)
	r.ok(err)
	r.node = &node{config: c, log: slog.New(slog.DiscardHandler), meters: newMeters()}
	ctx, end := context.WithCancel(context.Background())
	r.node.ground, err = openGround(ctx, c)
	r.ok(err)
	r.node.db.Lenient() // as in production
	r.node.later(r.node.close)
	r.node.work = ctx
	for _, step := range []func(context.Context) error{r.node.openRooms, r.node.openProviders, r.node.openBroker} {
		r.ok(step(ctx))
	}
	r.ok(r.node.doors(nodeOptions{}))
	if !idle {
		r.node.later(r.node.drain)
		r.ok(r.node.engine.Start(ctx))
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	r.ok(err)
	served := make(chan struct{})
	go func() { defer close(served); _ = r.node.Run(ctx, l) }()
	t.Cleanup(func() { end(); <-served; r.node.Close() })
	return r
}

func (r *speedRig) ok(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// as lets the rig ask as a platform, which it makes first when it has no password.
func (r *speedRig) as(p client.Platform) *speedRig {
	r.t.Helper()
	if p.Password == "" {
		var err error
		p, err = r.site.client().CreatePlatform(r.t.Context(), client.NewPlatform{Name: p.Name, Org: devOrg, Project: p.Project})
		r.ok(err)
	}
	r.platform = p
	for _, service := range r.catalog() {
		r.service = service.ID
		for _, plan := range service.Plans {
			r.plans[plan.Name] = plan.ID
		}
	}
	return r
}

func (r *speedRig) catalog() []domain.Service {
	r.t.Helper()
	status, body := r.ask(http.MethodGet, "/v2/catalog", "")
	var all struct{ Services []domain.Service }
	if err := json.Unmarshal(body, &all); err != nil || status != http.StatusOK {
		r.t.Fatal(status, err)
	}
	return all.Services
}

// ask sends a platform's request and gives status and body; 0 when nobody answered.
func (r *speedRig) ask(method, path, body string) (int, []byte) {
	return askAt(r.http, r.site.url, r.platform, method, path, body)
}

func askAt(c *http.Client, url string, p client.Platform, method, path, body string) (int, []byte) {
	req, err := http.NewRequestWithContext(context.Background(), method, url+path, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.SetBasicAuth(p.Name, p.Password)
	req.Header.Set("X-Broker-API-Version", "2.17")
	req.Header.Set("Content-Type", "application/json")
	res, err := c.Do(req)
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, nil
	}
	return res.StatusCode, text
}

// order provisions an instance of a plan, and gives the answer's status.
func (r *speedRig) order(id, plan string) int {
	status, _ := r.ask(http.MethodPut, "/v2/service_instances/"+id+"?accepts_incomplete=true",
		fmt.Sprintf(`{"service_id":%q,"plan_id":%q,"organization_guid":"o","space_guid":"s"}`, r.service, r.plans[plan]))
	return status
}

// open waits until the provider takes orders of a plan, by one: of a plan that nobody waits for where the workers are idle.
func (r *speedRig) open(plan string) {
	r.t.Helper()
	for late := time.Now().Add(time.Minute); r.order(ids.New("open"), plan) == http.StatusServiceUnavailable; {
		if time.Now().After(late) {
			r.t.Fatal("the provider does not answer")
		}
	}
}

// accept is one provision that is accepted and left to the workers.
func (r *speedRig) accept() error {
	if status := r.order(ids.New("i"), "async"); status != http.StatusAccepted {
		return fmt.Errorf("a provision was answered %d", status)
	}
	return nil
}

// provision is one provision that is answered when it is done.
func (r *speedRig) provision() error {
	if status := r.order(ids.New("i"), "sync"); status != http.StatusCreated {
		return fmt.Errorf("a provision was answered %d", status)
	}
	return nil
}

// get is a request that has to be answered 200.
func (r *speedRig) get(path string) func() error {
	return func() error {
		if status, body := r.ask(http.MethodGet, path, ""); status != http.StatusOK {
			return fmt.Errorf("%s was answered %d %.100s", path, status, body)
		}
		return nil
	}
}

// list reads one project's instances, as the API does.
func (r *speedRig) list(org, project string) func() error {
	return func() error {
		_, err := r.node.broker.Instances(context.Background(), identity.Principal{Kind: identity.System}, identity.Scope{Org: org, Project: project})
		return err
	}
}

// bareBroker serves a catalog with brokerapi alone, from memory.
type bareBroker struct {
	domain.ServiceBroker
	services []domain.Service
}

func (b bareBroker) Services(context.Context) ([]domain.Service, error) { return b.services, nil }

func (r *speedRig) bareCatalog() func() error {
	h := brokerapi.New(bareBroker{services: r.catalog()}, lager.NewLogger("bare"), brokerapi.BrokerCredentials{Username: r.platform.Name, Password: r.platform.Password})
	return r.from(h, "/v2/catalog")
}

// bareRead answers what one row says, found by its primary key through the same database layer.
func (r *speedRig) bareRead(operation string) func() error {
	return r.from(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		var row struct{ ID, State, Note string }
		if err := r.node.db.From(q.Context()).Raw(`SELECT id, state, note FROM operations WHERE id = ?`, operation).Scan(&row).Error; err != nil || row.ID == "" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{"state": row.State, "description": row.Note})
	}), "/v2/service_instances/i/last_operation")
}

func (r *speedRig) from(h http.Handler, path string) func() error {
	s := httptest.NewServer(h)
	r.t.Cleanup(s.Close)
	return func() error {
		if status, body := askAt(r.http, s.URL, r.platform, http.MethodGet, path, ""); status != http.StatusOK {
			return fmt.Errorf("%d %.100s", status, body)
		}
		return nil
	}
}

// rate is how often f comes to its end within a second, with that many callers at once.
func rate(t testing.TB, lasts time.Duration, f func() error) float64 {
	t.Helper()
	var done atomic.Int64
	var wait sync.WaitGroup
	began := time.Now()
	for range callers {
		wait.Go(func() {
			for time.Since(began) < lasts {
				if err := f(); err != nil {
					t.Error(err)
					return
				}
				done.Add(1)
			}
		})
	}
	wait.Wait()
	return float64(done.Load()) / time.Since(began).Seconds()
}

// measured is what several things measured, a row a round.
type measured [][]float64

// turns measures each of several things in turn, round after round: so a busy machine disturbs all of them alike.
func turns(n int, measures ...func() float64) measured {
	all := make(measured, n)
	for r := range all {
		for _, measure := range measures {
			all[r] = append(all[r], measure())
		}
	}
	return all
}

// median is the middle of what one thing measured.
func (r measured) median(thing int) float64 {
	return r.middle(func(round []float64) float64 { return round[thing] })
}

// ratio is the middle of what one thing measured, divided by what another did in the same round.
func (r measured) ratio(thing, other int) float64 {
	return r.middle(func(round []float64) float64 { return round[thing] / round[other] })
}

func (r measured) middle(of func(round []float64) float64) float64 {
	v := make([]float64, len(r))
	for n, round := range r {
		v[n] = of(round)
	}
	slices.Sort(v)
	return v[len(v)/2]
}
