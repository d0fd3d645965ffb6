package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/web/client"
)

// TestWhatFailsIsTold: the table of stuck operations says how often each failed, since when and why, and the queue shows the same operations.
func TestWhatFailsIsTold(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 3, 4, 5, 6, 0, 0, time.UTC)
	soon := since.Add(24 * time.Hour)
	stuck := client.Operation{
		ID: "op_1", Verb: "deprovision", State: "failed", InstanceName: "orders", Org: "acme", Project: "web", StartedAt: since.Add(-time.Hour), Attempts: 9, Failures: 7,
		FailingSince: &since, Note: "The server says no.", Reason: "It was given up and is still tried: The server says no.",
	}
	young := client.Operation{ID: "op_2", Verb: "bind", State: "in progress", InstanceName: "orders", Org: "wonder", Project: "web", NextAt: &soon, StartedAt: since, Failures: 1, FailingSince: &since, Note: "Not yet."}
	api := http.NewServeMux()
	api.HandleFunc("GET /api/v1/operations", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode([]client.Operation{stuck}) })
	api.HandleFunc("GET /api/v1/queue", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(client.Queue{Operations: []client.Operation{stuck, young}, Failing: []client.QueueEntry{{Sort: "task", Kind: "backup", Key: "bak_1", Attempts: 3, NextAt: since, Note: "No paper."}}})
	})
	api.HandleFunc("POST /api/v1/reconcile", func(w http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(w).Encode(client.Reconciliation{Differences: []client.Difference{{Kind: "missing", Instance: "ins_1", InstanceName: "orders", Org: "acme", Project: "web"}}})
	})
	site := httptest.NewServer(api)
	t.Cleanup(site.Close)
	for command, want := range map[string][]string{
		"operations --stuck": {"Failed", "Since", "Why", "acme/web/orders", "7 times", "2026-03-04 05:06", "The server says no."},
		"operations":         {"acme/web/orders"},
		"reconcile":          {"missing", "acme/web/orders"},
		"queue":              {"2 operations failing, 1 of them in need of a person", "operation deprovision", "7 times", "operation bind", "acme/web/orders", "wonder/web/orders", "2026-03-05 05:06", "once", "Not yet.", "task backup", "3 times", "No paper."},
	} {
		var out bytes.Buffer
		env := map[string]string{"SUTLER_URL": site.URL, "SUTLER_TOKEN": "t"}
		if code := execute(t.Context(), strings.Fields(command), terminal{in: strings.NewReader(""), out: &out, err: &out, env: func(k string) string { return env[k] }}); code != exitOK {
			t.Fatalf("%s ended with %d: %s", command, code, &out)
		}
		for _, part := range want {
			if !strings.Contains(out.String(), part) {
				t.Errorf("%s does not say %q:\n%s", command, part, &out)
			}
		}
	}
}
