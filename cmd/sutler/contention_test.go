package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/web/client"
)

// TestFiftyAtOnce sends 50 mixed requests for one instance through three processes at the same time. They come one after the other: what loses is told
// so by ConcurrencyError, the delete is always accepted, nobody waits for ever, and nothing is left.
func TestFiftyAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts processes")
	}
	t.Parallel()
	m := newTrio(t)
	api := m.sites[0].client()
	platform, err := api.CreatePlatform(t.Context(), client.NewPlatform{Name: "many", Org: devOrg, Project: devProject})
	if err != nil {
		t.Fatal(err)
	}
	m.order(t, m.sites[0], m.processes[0]) // the provider answers from here on
	list, err := api.Market(t.Context())
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	plans := map[string]string{}
	for _, p := range list[0].Plans {
		plans[p.Name] = p.ID
	}
	send := func(s site, method, path, plan string) (int, string) {
		return askOSB(t.Context(), s, platform, method, path+"?accepts_incomplete=true&service_id="+list[0].ID+"&plan_id="+plans[plan],
			fmt.Sprintf(`{"service_id":%q,"plan_id":%q,"organization_guid":"o","space_guid":"s"}`, list[0].ID, plans[plan]))
	}
	var answers []time.Duration
	for range rounds(10) {
		for _, s := range m.sites { // the instance is there, and no process waits for the end of the one before
			m.processes[0].await(t, "instance", func() bool {
				status, _ := send(s, http.MethodPut, "/v2/service_instances/one", "sync")
				return status == http.StatusOK
			})
		}
		answers = append(answers, fiftyAtOnce(t, m, send)...)
	}
	reportTimes(t, "answer to one of 50 requests at once for one instance", "no deadlock", answers)
	s := m.sites[0]
	if left := s.count(t, "SELECT count(*) FROM bindings WHERE state <> 'gone'"); left != 0 {
		t.Errorf("%d bindings are left", left)
	}
	if left, err := m.backend.Leftovers(); err != nil || len(left) != 1 { // the order that made the provider answer
		t.Errorf("the backend holds %v (%v)", left, err)
	}
	if open := s.count(t, oneInterval+" WHERE ended_at = 0"); open != 1 {
		t.Errorf("%d intervals are open, want 1", open)
	}
}

// fiftyAtOnce sends them and gives how long each answer took, once nothing is under way any more.
func fiftyAtOnce(t *testing.T, m *trio, send func(s site, method, path, plan string) (int, string)) (answers []time.Duration) {
	t.Helper()
	var wait sync.WaitGroup
	var mu sync.Mutex
	seen := map[string]int{}
	began := time.Now()
	for n := range 50 {
		wait.Go(func() {
			method, path, plan := http.MethodPatch, "/v2/service_instances/one", []string{"sync", "rotatable"}[n/2%2]
			switch {
			case n == 40:
				method = http.MethodDelete
			case n%2 == 1:
				method, path, plan = http.MethodPut, fmt.Sprintf("%s/service_bindings/b%d", path, n), "sync"
			}
			status, body := send(m.sites[n%3], method, path, plan)
			took := time.Since(began)
			mu.Lock()
			defer mu.Unlock()
			answers = append(answers, took)
			seen[fmt.Sprintf("%s %d", method, status)]++
			switch {
			case status >= 500 || status < 200:
				t.Errorf("%s answered %d: %s", method, status, body)
			case status == http.StatusUnprocessableEntity && !strings.Contains(body, "ConcurrencyError"):
				t.Errorf("%s was refused without ConcurrencyError: %s", method, body)
			case method == http.MethodDelete && status != http.StatusOK && status != http.StatusAccepted:
				t.Errorf("the delete was answered %d: %s", status, body)
			}
		})
	}
	wait.Wait()
	t.Logf("answered within %s: %v", time.Since(began).Round(time.Millisecond), seen)
	m.processes[0].await(t, "rest", func() bool { return m.live(t) == 0 })
	return answers
}

// askOSB sends a platform's request and gives status and body; 0 and the reason when nobody answered.
func askOSB(ctx context.Context, s site, p client.Platform, method, path, body string) (int, string) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	req.SetBasicAuth(p.Name, p.Password)
	req.Header.Set("X-Broker-API-Version", "2.17")
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err.Error()
	}
	return resp.StatusCode, string(text)
}
