package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/web/client"
)

// TestRotationOnRealBackends rotates a binding on PostgreSQL and on NATS through a platform's door, naming the predecessor alone. Both logins are
// let in; the old one, ended, is not any more, and the new one stays.
func TestRotationOnRealBackends(t *testing.T) {
	if testing.Short() {
		t.Skip("short: starts servers")
	}
	t.Parallel()
	p, about := runDevMarket(t, filepath.Join(t.TempDir(), "market"))
	s, who := site{url: about.URL}, client.Platform{Name: about.OSB.Username, Password: about.OSB.Password}
	for kind, login := range map[string]func(map[string]any) error{"postgresql": postgresBackend{}.login, "nats": natsBackend{}.login} {
		r := rotating{t: t, site: s, who: who, path: "/v2/service_instances/" + kind}
		var plan string
		p.await(t, kind+" on sale", func() bool { r.service, plan = r.offered(kind); return plan != "" })
		ids := fmt.Sprintf(`"service_id":%q,"plan_id":%q`, r.service, plan)
		r.query = "&service_id=" + r.service + "&plan_id=" + plan
		r.done("PUT", "", "{"+ids+`,"organization_guid":"o","space_guid":"s"}`)
		r.done("PUT", "/service_bindings/old", "{"+ids+"}")
		r.done("PUT", "/service_bindings/new", `{"predecessor_binding_id":"old"}`)
		before, after := r.credentials("old"), r.credentials("new")
		if before["uri"] == after["uri"] {
			t.Fatal(kind, "has the same credentials")
		}
		for _, c := range []map[string]any{before, after} {
			if err := login(c); err != nil {
				t.Fatal(kind, "both logins have to work:", err)
			}
		}
		r.done("DELETE", "/service_bindings/old", "")
		if err := login(before); err == nil {
			t.Error(kind, "lets the old login in")
		}
		if err := login(after); err != nil {
			t.Error(kind, "does not let the new login in:", err)
		}
	}
}

// rotating speaks as a platform about one instance.
type rotating struct {
	t                    *testing.T
	site                 site
	who                  client.Platform
	path, service, query string
}

func (r *rotating) ask(method, path, body string) (int, map[string]any) {
	r.t.Helper()
	status, text := askOSB(r.t.Context(), r.site, r.who, method, path, body)
	said := map[string]any{}
	if err := json.Unmarshal([]byte(text), &said); err != nil {
		r.t.Fatal(method, path, status, text)
	}
	return status, said
}

// offered gives the service of a name and its first plan, when it is on sale.
func (r *rotating) offered(name string) (service, plan string) {
	_, said := r.ask("GET", "/v2/catalog", "")
	list, _ := said["services"].([]any)
	for _, s := range list {
		if s := s.(map[string]any); s["name"] == name {
			return s["id"].(string), s["plans"].([]any)[0].(map[string]any)["id"].(string)
		}
	}
	return "", ""
}

// done sends a request and waits until what it asks for has come about.
func (r *rotating) done(method, path, body string) {
	r.t.Helper()
	for late := time.Now().Add(time.Minute); time.Now().Before(late); {
		status, said := r.ask(method, r.path+path+"?accepts_incomplete=true"+r.query, body)
		switch {
		case status == 200 || status == 201 || method == "DELETE" && status == 410:
			return
		case status == 503: // its server is on its way up
		case status != 202:
			r.t.Fatal(method, r.path+path, status, said)
		}
	}
	r.t.Fatal(method, r.path+path, "takes too long")
}

func (r *rotating) credentials(binding string) map[string]any {
	r.t.Helper()
	status, said := r.ask("GET", r.path+"/service_bindings/"+binding, "")
	credentials, ok := said["credentials"].(map[string]any)
	if status != 200 || !ok {
		r.t.Fatal(binding, status)
	}
	return credentials
}
