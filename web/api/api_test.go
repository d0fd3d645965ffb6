package api_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/web/api"
	"github.com/sutlerhq/sutler/web/client"
)

// door serves the API to one principal, without rooms: for what is decided before any room is asked.
func door(t *testing.T, who identity.Principal) *httptest.Server {
	t.Helper()
	e := echo.New()
	api.New(api.Deps{Clock: &clock.Market{}, Log: slog.New(slog.DiscardHandler)}).Mount(e)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.ServeHTTP(w, r.WithContext(identity.With(r.Context(), who)))
	}))
	t.Cleanup(s.Close)
	return s
}

// ask sends one request and reads the problem that it is answered with.
func ask(t *testing.T, s *httptest.Server, method, path, contentType, body string) (int, client.Error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := s.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var p client.Error
	if resp.StatusCode >= 400 {
		if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
			t.Errorf("%s %s: content type %q", method, path, got)
		}
		if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
			t.Errorf("%s %s: %v", method, path, err)
		}
	}
	return resp.StatusCode, p
}

func TestNobodyIsRefusedBeforeTheRequestIsRead(t *testing.T) {
	s := door(t, identity.Principal{})
	for _, path := range []string{"/api/v1/instances", "/api/v1/marketplace?nonsense=1", "/api/v1/clock", "/api/v1/invoices/X"} {
		status, p := ask(t, s, "GET", path, "", "")
		if status != http.StatusUnauthorized || p.Code != "unauthenticated" || p.Hint == "" {
			t.Errorf("%s: %d %+v", path, status, p)
		}
	}
	if status, _ := ask(t, s, "POST", "/api/v1/instances", "application/json", "{broken"); status != http.StatusUnauthorized {
		t.Errorf("a broken body of nobody: %d", status)
	}
}

func TestRequestsThatDoNotFit(t *testing.T) {
	s := door(t, identity.Principal{Kind: identity.Person, ID: "per_1"})
	const js = "application/json"
	for name, c := range map[string]struct {
		method, path, kind, body string
		status                   int
		code, says               string
	}{
		"unknown field": {"POST", "/api/v1/instances", js, `{"want":"nats","regoin":"x"}`, 422, "invalid", `Did you mean "region"?`},
		"unknown query": {"GET", "/api/v1/instances?progect=x", "", "", 422, "invalid", `Did you mean "project"?`},
		"missing field": {"POST", "/api/v1/bindings", js, `{"app":"web"}`, 422, "invalid", "instance"},
		"wrong type":    {"POST", "/api/v1/instances", js, `{"want":7}`, 422, "invalid", "expected string"},
		"twice a key":   {"POST", "/api/v1/instances", js, `{"want":"a","want":"b"}`, 400, "invalid", "want"},
		"no JSON":       {"POST", "/api/v1/instances", js, `{"want":`, 400, "invalid", ""},
		"too deep":      {"POST", "/api/v1/instances", js, `{"want":"a","params":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, 400, "invalid", ""},
		"a form":        {"POST", "/api/v1/instances", "application/x-www-form-urlencoded", "want=nats", 415, "invalid", ""},
		"too large":     {"POST", "/api/v1/instances", js, `{"want":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too_large", "1 MiB"},
		"no event":      {"POST", "/usage/events", "application/cloudevents+json", `{"specversion":"0.3","id":"1"}`, 400, "invalid", "/0/specversion"},
		"event number":  {"POST", "/usage/events", "application/cloudevents+json", `{"specversion":"1.0","id":"1","source":"s","type":"m","subject":"i","time":"2026-11-01T00:00:00Z","data":{"value":12.5}}`, 400, "invalid", "/0/data"},
		"event type":    {"POST", "/usage/events", js, `{}`, 400, "invalid", "CloudEvent"},
	} {
		t.Run(name, func(t *testing.T) {
			status, p := ask(t, s, c.method, c.path, c.kind, c.body)
			if status != c.status || p.Code != c.code || !strings.Contains(p.Error(), c.says) {
				t.Errorf("%d %q %q, want %d %q with %q", status, p.Code, p.Error(), c.status, c.code, c.says)
			}
		})
	}
}

func TestDocumentAndItsPage(t *testing.T) {
	s := door(t, identity.Principal{})
	resp, err := s.Client().Get(s.URL + "/api/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var doc struct {
		OpenAPI string                    `json:"openapi"`
		Paths   map[string]map[string]any `json:"paths"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Paths["/api/v1/instances"]["post"] == nil || doc.Paths["/usage/events"] == nil {
		t.Errorf("openapi %q with %d paths", doc.OpenAPI, len(doc.Paths))
	}
	page := httptest.NewRecorder()
	s.Config.Handler.ServeHTTP(page, httptest.NewRequest("GET", "/api/docs", nil))
	body := page.Body.String()
	if page.Code != 200 || !strings.Contains(body, "/api/v1/instances/{ref}") || !strings.Contains(body, "Prefix of its variables") {
		t.Errorf("the page does not list the operations: %d", page.Code)
	}
	for _, never := range []string{"<script", "style=", "https://", "//cdn"} {
		if strings.Contains(body, never) {
			t.Errorf("the page holds %q", never)
		}
	}
}
