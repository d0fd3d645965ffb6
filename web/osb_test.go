package web_test

import (
	"bytes"
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
	"testing"

	"github.com/sutlerhq/sutler/broker/osb"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/web"
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

// The log of the door names the platform that asked, which only the handler behind it knows; who has not shown a password is nobody.
func TestTheLogNamesThePlatform(t *testing.T) {
	var lines bytes.Buffer
	h := furnish(t, dbtest.New(t), func(h *house, c *web.Config) {
		c.Log = slog.New(slog.NewTextHandler(&lines, nil))
		c.OSB = osb.Handler(osb.Config{Directory: h.directory})
	})
	_, err := h.directory.CreateProject(t.Context(), h.operator, h.org.ID, "shop")
	must(t, err)
	_, password, err := h.directory.CreatePlatform(t.Context(), h.operator, "cf", h.org.ID, "shop")
	must(t, err)
	for _, c := range []struct {
		login, version string
		status         int
		who            string
	}{
		{basic("cf", password), "2.17", 404, "platform/cf"},
		{basic("cf", password), "", 412, "platform/cf"},
		{basic("cf", "guess"), "2.17", 401, "nobody"},
		{"", "2.17", 401, "nobody"},
	} {
		lines.Reset()
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/v2/nothing", nil)
		r.Header.Set("X-Broker-API-Version", c.version)
		r.Header.Set("Authorization", c.login)
		w := httptest.NewRecorder()
		h.server.Handler().ServeHTTP(w, r)
		if w.Code != c.status || !strings.Contains(lines.String(), " who="+c.who+" ") {
			t.Errorf("%d: %s", w.Code, lines.String())
		}
	}
}

// A stop is no reason to leave a platform without an answer: who waits is told at once that the work goes on, and the server ends well.
func TestAStopAnswersThoseWhoWait(t *testing.T) {
	m := openMarket(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.server.Serve(ctx, l) }()
	hold := m.driver.Hang("provision")
	defer hold.Release()
	offers, err := m.broker.Market(ctx, identity.Principal{Kind: identity.System})
	must(t, err)
	plan, err := offers[0].Plan("sync")
	must(t, err)
	body := `{"service_id":"` + offers[0].ID + `","plan_id":"` + plan.ID + `","organization_guid":"o","space_guid":"s"}`
	answers := make(chan string, 2)
	for _, path := range []string{"/v2/service_instances/patient", "/v2/service_instances/urgent?accepts_incomplete=true"} {
		r, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+l.Addr().String()+path, strings.NewReader(body))
		must(t, err)
		r.Header.Set("X-Broker-API-Version", "2.17")
		r.Header.Set("Authorization", m.bearers["platform"])
		go func() {
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				answers <- err.Error()
				return
			}
			defer resp.Body.Close()
			answers <- fmt.Sprint(resp.StatusCode, resp.Header.Get("Retry-After") != "")
		}()
		<-hold.Entered
	}
	stop()
	got := []string{<-answers, <-answers}
	slices.Sort(got)
	if want := []string{"202 true", "503 true"}; !slices.Equal(got, want) {
		t.Error("got ", got)
	}
	must(t, <-ended)
}
