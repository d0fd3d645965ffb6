package osbtest_test

import (
	"cmp"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/broker/osb/osbtest"
)

// need skips what needs programs that are not here, but never in continuous integration.
func need(t *testing.T, name string) string {
	t.Helper()
	if testing.Short() {
		t.Skip("short: starts programs")
	}
	path, err := osbtest.Tool(name)
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip(err)
		}
		t.Fatal(err)
	}
	return path
}

func TestTheDocumentIsLinted(t *testing.T) {
	t.Parallel()
	spectral := need(t, "spectral")
	root, err := osbtest.Root()
	if err != nil {
		t.Fatal(err)
	}
	lint := func(document string) ([]byte, error) {
		return exec.Command(spectral, "lint", "--fail-severity", "hint", "-r", filepath.Join(root, "scripts/prism/spectral.yaml"), document).CombinedOutput()
	}
	document := filepath.Join(root, "docs/osb-openapi.yaml")
	if out, err := lint(document); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	raw, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "broken.yaml")
	if err := os.WriteFile(broken, []byte(strings.Replace(string(raw), "operationId: catalog.get", "operationID: catalog.get", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := lint(broken); err == nil {
		t.Errorf("a broken document passes: %s", out)
	}
}

// TestTheProxyFlagsWrongAnswers proves that a broker which breaks the protocol is caught: without it, a watch that sees nothing would prove nothing.
func TestTheProxyFlagsWrongAnswers(t *testing.T) {
	t.Parallel()
	need(t, "prism")
	const catalog = `{"services":[{"id":"s","name":"n","description":"d","bindable":true,"tags":["t"],"plans":[{"id":"p","name":"n","description":"d","free":true,"bindable":true%s}]}]}`
	const instance, binding = "/v2/service_instances/i", "/v2/service_instances/i/service_bindings/b"
	for n, c := range []struct {
		method, path string
		status       int
		header, body string
		blamed       string // what the violation speaks of; "" when the answer is right
	}{
		{"GET", "/v2/catalog", 200, "", fmt.Sprintf(catalog, ""), ""},
		{"GET", "/v2/catalog", 200, "", fmt.Sprintf(catalog, `,"schemas":{"service_binding":{"create":{"parameters":null}}}`), "parameters"},
		{"GET", "/v2/catalog", 200, "", fmt.Sprintf(catalog, `,"maintenance_info":{"version":"2"}`), "version"},
		{"GET", "/v2/catalog", 200, "", fmt.Sprintf(catalog, `,"binding_rotateable":true`), "binding_rotateable"},
		{"GET", "/v2/catalog", 200, "", `{}`, "services"},
		{"GET", "/v2/catalog", 200, "text/html", fmt.Sprintf(catalog, ""), "media type"},
		{"GET", "/v2/catalog", 204, "", ``, "status code"},
		{"GET", instance, 200, "", `{"service_id":"s","plan_id":"p","parameters":{}}`, ""},
		{"GET", instance, 200, "", `{"service_id":"s","plan_id":"p","parameters":null}`, "parameters"},
		{"GET", instance, 409, "", `{"description":"d"}`, "status code"},
		{"PUT", instance, 202, "", `{"operation":"o","dashboard_url":null}`, ""},
		{"PUT", instance, 202, "", `{"operation":null}`, "operation"},
		{"PUT", instance, 422, "", `{"error":"AsyncRequired","description":"d"}`, ""},
		{"PUT", instance, 422, "", `{"error":"async required","description":"d"}`, "error"},
		{"PUT", instance, 422, "", `{"error":"AsyncRequired","description":"d","instance_usable":true}`, "instance_usable"},
		{"PATCH", instance, 422, "", `{"description":"d","instance_usable":true,"update_repeatable":false}`, ""},
		{"DELETE", instance + "?service_id=s&plan_id=p", 500, "", `{"description":"d","update_repeatable":true}`, "update_repeatable"},
		{"DELETE", instance + "?service_id=s&plan_id=p", 410, "", `{}`, ""},
		{"GET", instance + "/last_operation", 200, "", `{"state":"done"}`, "state"},
		{"PUT", binding, 201, "", `{"credentials":{"uri":"u"},"endpoints":[{"host":"h","ports":["1-2"],"protocol":"tcp"}],"metadata":{"expires_at":"2030-01-02T03:04:05.0Z"}}`, ""},
		{"PUT", binding, 201, "", `{"credentials":{"uri":"u"},"endpoints":[{"host":"h","ports":[12]}]}`, "ports"},
		{"PUT", binding, 201, "", `{"credentials":"u"}`, "credentials"},
		{"PUT", binding, 201, "", `{"metadata":{"expires_at":"2030-01-02 03:04"}}`, "expires_at"},
		{"PUT", binding, 202, "", `{"operation":"o","credentials":{"uri":"u"}}`, "credentials"},
		{"GET", binding, 200, "", `{"credentials":{},"parameters":{}}`, ""},
		{"GET", binding + "/last_operation", 200, "", `{"state":"failed","instance_usable":true}`, "instance_usable"},
	} {
		t.Run(fmt.Sprintf("%d %s %s", n, c.method, c.path), func(t *testing.T) {
			broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", cmp.Or(c.header, "application/json"))
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer broker.Close()
			found := send(t, broker.URL, c.method, c.path, func(r *http.Request) { r.SetBasicAuth("u", "p") })
			said := fmt.Sprint(found)
			if len(found) > 0 && !found[0].OfResponse() || (len(found) > 0) != (c.blamed != "") || !strings.Contains(said, c.blamed) {
				t.Errorf("found %s, want %q", said, c.blamed)
			}
		})
	}
	t.Run("a request without a version is the client's fault", func(t *testing.T) {
		broker := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(http.StatusPreconditionFailed)
			_, _ = w.Write([]byte(`{"description":"d"}`))
		}))
		defer broker.Close()
		found := send(t, broker.URL, "GET", "/v2/catalog", func(r *http.Request) { r.SetBasicAuth("u", "p"); r.Header.Del("X-Broker-API-Version") })
		if len(found) != 1 || found[0].OfResponse() {
			t.Error(found)
		}
	})
}

// send asks the broker through the one proxy of this test binary.
func send(t *testing.T, broker, method, path string, change func(*http.Request)) []osbtest.Violation {
	t.Helper()
	p, err := osbtest.Shared()
	if err != nil {
		t.Fatal(err)
	}
	body := ""
	if method == http.MethodPut || method == http.MethodPatch {
		body = `{"service_id":"s","plan_id":"p","organization_guid":"o","space_guid":"s"}`
	}
	r, err := http.NewRequestWithContext(t.Context(), method, broker+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Broker-API-Version", "2.17")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	change(r)
	res, found, err := p.Send(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return found
}
