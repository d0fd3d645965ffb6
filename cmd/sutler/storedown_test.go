package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers/fake"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/web/client"
)

// TestStoreDown stops the PostgreSQL that holds the market's store at once, in the midst of orders. /readyz turns within 5 s, every
// request meanwhile is 503 with Retry-After, and /readyz is back within 10 s of the store's return; every order that was answered with yes is in the store, and is carried out.
func TestStoreDown(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	dir, objects := t.TempDir(), t.TempDir()
	up := func() *local.Server {
		server, err := local.PostgreSQL(t.Context(), dir, "test", false)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = server.Stop() })
		return server
	}
	server := up()
	s := newSite(t, "postgres://sutler:test@"+server.Address+"/postgres", "first", fakeProvider(objects))
	p := s.run(t)
	s.awaitReady(t, p, s.order(t, p, "fake:sync").ID)

	ctx, end := context.WithCancel(t.Context())
	defer end()
	accepted := make(chan []string, 1)
	go func() { accepted <- keepOrdering(ctx, s) }()
	p.await(t, "some orders", func() bool { return s.count(t, "SELECT count(*) FROM instances") > 5 })
	var turned, returned, working []time.Duration
	for range rounds(5) {
		a, b, c := outage(t, s, p, server, func() { server = up() })
		turned, returned, working = append(turned, a), append(returned, b), append(working, c)
	}
	end()
	reportTimes(t, "readyz turns when the store goes away", "5 s", turned)
	reportTimes(t, "readyz is back after the store", "10 s", returned)
	reportTimes(t, "orders are taken again after the store is back", "10 s", working)
	if slices.Max(turned) > 5*time.Second || slices.Max(returned) > 10*time.Second || slices.Max(working) > 10*time.Second {
		t.Error("too late")
	}
	ids := <-accepted
	backend := fake.New(fake.Options{Dir: objects})
	for _, id := range ids {
		s.awaitReady(t, p, id)
		if n := backend.Made(id); n != 1 {
			t.Errorf("%s was made %d times", id, n)
		}
	}
	t.Logf("%d orders were answered with yes; all are there", len(ids))
	p.await(t, "rest", func() bool { return s.count(t, "SELECT count(*) FROM operations WHERE live = 1") == 0 })
	if made, charged := s.count(t, "SELECT count(*) FROM instances"), s.count(t, oneInterval); made != charged {
		t.Errorf("%d instances, %d intervals", made, charged)
	}
}

// outage stops the store and starts it again, and tells how long readyz took to turn and to be back, and orders to be taken again.
func outage(t *testing.T, s site, p *process, server *local.Server, up func()) (turned, returned, working time.Duration) {
	t.Helper()
	stopAtOnce(t, server)
	down := time.Now()
	p.await(t, "readyz that turns", func() bool { return !answersAt(s.url + "/readyz") })
	turned = time.Since(down)
	for _, path := range []string{"/v2/catalog", "/v2/service_instances/a/last_operation", "/api/v1/whoami", "/api/v1/marketplace"} {
		s.tellsToWait(t, path)
	}
	<-time.After(4 * time.Second) // the outage itself
	up()
	back := time.Now()
	p.await(t, "readyz that is back", func() bool { return answersAt(s.url + "/readyz") })
	returned = time.Since(back)
	before := s.count(t, "SELECT count(*) FROM instances")
	p.await(t, "orders that are taken again", func() bool { return s.count(t, "SELECT count(*) FROM instances") > before })
	return turned, returned, time.Since(back)
}

// tellsToWait: a caller who meets the outage reads that it is one, and when to come again.
func (s site) tellsToWait(t *testing.T, path string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Broker-API-Version", "2.17")
	req.Header.Set("Authorization", "Bearer "+s.token)
	if strings.HasPrefix(path, "/v2/") {
		req.SetBasicAuth("anybody", "a password that only the store can judge")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || !strings.Contains(string(body), "store does not answer") {
		t.Errorf("%s while the store is away: %d, Retry-After %q, %s, %v", path, resp.StatusCode, resp.Header.Get("Retry-After"), body, err)
	}
}

// keepOrdering orders one instance after the other and gives the ids of those that were answered with yes.
func keepOrdering(ctx context.Context, s site) (ids []string) {
	for n := 0; ctx.Err() == nil; n++ {
		one, cancel := context.WithTimeout(ctx, 20*time.Second)
		i, err := s.client().CreateInstance(one, client.NewInstance{Want: "fake:sync", Org: devOrg, Project: devProject, Name: fmt.Sprintf("order-%d", n)})
		cancel()
		if err == nil {
			ids = append(ids, i.ID)
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return ids
}

// stopAtOnce is `pg_ctl stop -m immediate`.
func stopAtOnce(t *testing.T, server *local.Server) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(server.Dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGQUIT)
	}
	if err != nil {
		t.Fatal(err)
	}
	select {
	case <-server.Dead:
	case <-time.After(10 * time.Second):
		t.Fatal("the store did not stop")
	}
}
