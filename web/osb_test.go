package web_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The door's own limits and refusals speak a platform's language on everything below /v2, and on /v2 itself.
func TestAPlatformIsAnsweredInItsOwnLanguage(t *testing.T) {
	m := openMarket(t)
	large := `{"x":"` + strings.Repeat("x", 1<<20) + `"}`
	for name, q := range map[string]struct {
		method, at, who string
		body            io.Reader
		status          int
	}{
		"a body too large":                       {"PUT", "/v2/service_instances/i", m.bearers["platform"], strings.NewReader(large), 413},
		"a body too large that hides its length": {"PUT", "/v2/service_instances/i", m.bearers["platform"], io.MultiReader(strings.NewReader(large)), 413},
		"the root, nobody":                       {"GET", "/v2", "", nil, 401},
		"the root with a slash, nobody":          {"GET", "/v2/", "", nil, 401},
		"the root":                               {"GET", "/v2", m.bearers["platform"], nil, 404},
	} {
		r, err := http.NewRequestWithContext(t.Context(), q.method, m.url+q.at, q.body)
		must(t, err)
		r.Header.Set("X-Broker-API-Version", "2.17")
		if q.who != "" {
			r.Header.Set("Authorization", q.who)
		}
		resp, err := http.DefaultClient.Do(r)
		must(t, err)
		raw, err := io.ReadAll(resp.Body)
		must(t, err)
		resp.Body.Close()
		var said struct{ Description string }
		if resp.StatusCode != q.status || resp.Header.Get("Content-Type") != "application/json" || json.Unmarshal(raw, &said) != nil || said.Description == "" {
			t.Errorf("%s: %d %s %s", name, resp.StatusCode, resp.Header.Get("Content-Type"), raw)
		}
	}
}
