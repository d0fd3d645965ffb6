package web_test

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/web"
	"github.com/sutlerhq/sutler/web/problem"
)

func (h *house) token(actions ...identity.Action) string {
	h.t.Helper()
	_, secret, err := h.directory.CreateToken(h.t.Context(), h.operator, "t", actions, time.Time{})
	must(h.t, err)
	return secret
}

func TestWhoIsAsking(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	secret, c := h.token(), still(http.DefaultClient)
	for name, q := range map[string]struct {
		method, at, header string
		status             int
		location           string
	}{
		"a page, nobody":           {"GET", "/o/acme?x=1", "A: b", 303, "/auth/login?return_to=%2Fo%2Facme%3Fx%3D1"},
		"a page that is not there": {"GET", "/nothing", "A: b", 303, "/auth/login?return_to=%2Fnothing"},
		"a form, nobody":           {"POST", "/o/acme", "A: b", 401, ""},
		"a stream, nobody":         {"GET", "/o/acme", "Accept: text/event-stream", 401, ""},
		"the API, nobody":          {"GET", "/api/v1/whoami", "A: b", 401, ""},
		"the API, unknown path":    {"GET", "/api/v1/nothing", "A: b", 401, ""},
		"the API, token":           {"GET", "/api/v1/whoami", "Authorization: Bearer " + secret, 200, ""},
		"the API, case of Bearer":  {"GET", "/api/v1/whoami", "Authorization: bearer " + secret, 200, ""},
		"the API, wrong token":     {"GET", "/api/v1/whoami", "Authorization: Bearer sut_" + strings.Repeat("x", 43), 401, ""},
		"the API, no JWT":          {"GET", "/api/v1/whoami", "Authorization: Bearer a.b.c", 401, ""},
		"the API, empty bearer":    {"GET", "/api/v1/whoami", "Authorization: Bearer ", 401, ""},
		"known, not there":         {"GET", "/api/v1/nothing", "Authorization: Bearer " + secret, 404, ""},
		"known, wrong method":      {"DELETE", "/api/v1/whoami", "Authorization: Bearer " + secret, 405, ""},
		"health":                   {"GET", "/healthz", "A: b", 200, ""},
		"readiness":                {"GET", "/readyz", "A: b", 200, ""},
	} {
		resp, body := h.ask(c, q.method, q.at, nil, q.header)
		if resp.StatusCode != q.status || resp.Header.Get("Location") != q.location {
			t.Errorf("%s: %d %s %s", name, resp.StatusCode, resp.Header.Get("Location"), body)
		}
		var p problem.Problem
		if q.status >= 400 && (json.Unmarshal([]byte(body), &p) != nil || p.Status != q.status || p.Detail == "" || resp.Header.Get("Content-Type") != problem.MediaType) {
			t.Errorf("%s is no problem: %s", name, body)
		}
	}
}

func TestCrossSite(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	c := h.browser()
	h.signIn(c, "root@example.com", password, "/auth/login")
	for header, status := range map[string]int{
		"Sec-Fetch-Site: same-origin":      200,
		"Sec-Fetch-Site: none":             200,
		"Sec-Fetch-Site: cross-site":       403,
		"Sec-Fetch-Site: same-site":        403,
		"Origin: https://evil.example.com": 403,
		"Origin: null":                     403,
		"Origin: " + h.url:                 200,
		"User-Agent: no browser":           200,
	} {
		for _, at := range []string{"/o/acme", "/api/v1/whoami"} {
			if resp, body := h.ask(c, "POST", at, url.Values{}, header); resp.StatusCode != status {
				t.Errorf("%s %s: %d %s", at, header, resp.StatusCode, body)
			}
		}
	}
	for _, at := range []string{"/auth/logout", "/oidc/login"} {
		if resp, _ := h.ask(still(c), "POST", at, url.Values{}, "Sec-Fetch-Site: cross-site"); resp.StatusCode != 403 {
			t.Errorf("%s: %d", at, resp.StatusCode)
		}
	}
	if resp, _ := h.ask(c, "POST", "/api/v1/whoami", url.Values{}, "Sec-Fetch-Site: cross-site", "Authorization: Bearer "+h.token()); resp.StatusCode != 200 {
		t.Error("a bearer token is no cookie: ", resp.StatusCode)
	}
}

func TestHeaders(t *testing.T) {
	for _, public := range []string{"http://127.0.0.1:1", "https://market.example.com"} {
		h := build(t, dbtest.New(t), func(c *web.Config) { c.PublicURL = public })
		for _, at := range []string{"/", "/api/v1/whoami", "/oidc/keys", "/healthz", "/nothing"} {
			resp, _ := h.ask(still(http.DefaultClient), "GET", at, nil)
			for name, want := range map[string]string{
				"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
					"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
				"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
				"Strict-Transport-Security": map[bool]string{true: "max-age=31536000; includeSubDomains"}[strings.HasPrefix(public, "https")],
			} {
				if got := resp.Header.Get(name); got != want {
					t.Errorf("%s %s: %s: %q", public, at, name, got)
				}
			}
			if !strings.HasPrefix(resp.Header.Get("X-Request-Id"), "req_") {
				t.Error(at, " has no request id")
			}
		}
	}
}

func TestSecureCookie(t *testing.T) {
	db := dbtest.New(t)
	h := build(t, db, nil)
	s := web.NewSessions(db, "https://market.example.com", h.server.Log)
	begin := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { must(t, s.Begin(r.Context(), h.operator.ID)) })
	srv := web.New(web.Config{PublicURL: "https://market.example.com", DB: db, Directory: h.directory, Sessions: s, SignIn: begin, Log: h.server.Log})
	w := httptest.NewRecorder()
	srv.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/auth/login", nil))
	c, err := http.ParseSetCookie(w.Header().Get("Set-Cookie"))
	must(t, err)
	if c.Name != "__Host-sutler" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge > 12*3600+1 {
		t.Fatal(c)
	}
	var n int
	must(t, db.From(t.Context()).Raw("SELECT count(*) FROM web_sessions WHERE hash = ?", c.Value).Scan(&n).Error)
	if n != 0 {
		t.Fatal("the session's token is kept in clear")
	}
}

func TestLimits(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	auth := "Authorization: Bearer " + h.token()
	big := url.Values{"x": {strings.Repeat("x", 1<<20)}}
	if resp, _ := h.ask(http.DefaultClient, "POST", "/api/v1/body", big, auth); resp.StatusCode != 413 {
		t.Error("a body over the limit: ", resp.StatusCode)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", h.url+"/api/v1/body", http.MaxBytesReader(nil, http.NoBody, 1))
	must(t, err)
	r.Body, r.ContentLength = readCloser{strings.NewReader(big.Encode())}, -1
	r.Header.Set("Authorization", strings.TrimPrefix(auth, "Authorization: "))
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != 413 {
		t.Error("a body of unknown length over the limit: ", resp.StatusCode)
	}
	for range 30 {
		h.ask(http.DefaultClient, "GET", "/api/v1/whoami", nil, "Authorization: Bearer wrong")
	}
	if resp, _ := h.ask(http.DefaultClient, "GET", "/api/v1/whoami", nil, "Authorization: Bearer wrong"); resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Error("wrong tokens are not slowed down: ", resp.StatusCode)
	}
	if resp, _ := h.ask(http.DefaultClient, "GET", "/api/v1/whoami", nil, auth); resp.StatusCode != 200 {
		t.Error("a good token is shut out by wrong ones of its address: ", resp.StatusCode)
	}
}

type readCloser struct{ *strings.Reader }

func (readCloser) Close() error { return nil }

func TestPanicsAndUnreadiness(t *testing.T) {
	h := build(t, dbtest.New(t), func(c *web.Config) {
		c.Ready = func(context.Context) error { return errors.New("password=hunter2") }
	})
	for at, status := range map[string]int{"/api/v1/panic": 500, "/readyz": 503} {
		resp, body := h.ask(http.DefaultClient, "GET", at, nil, "Authorization: Bearer "+h.token())
		if resp.StatusCode != status || strings.Contains(body, "hunter2") || !strings.Contains(body, `"error_id":"err_`) {
			t.Errorf("%s: %d %s", at, resp.StatusCode, body)
		}
	}
}

func TestAddressBehindProxies(t *testing.T) {
	var seen string
	h := build(t, dbtest.New(t), func(c *web.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.0.0.0/8")}
		c.OSB = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { seen = identity.From(r.Context()).RemoteIP })
	})
	for sent, want := range map[string]string{
		"":                                    "127.0.0.1",
		"203.0.113.9":                         "203.0.113.9",
		"198.51.100.1, 203.0.113.9, 10.1.1.1": "203.0.113.9", // what the caller claimed itself is not believed
		"nonsense":                            "127.0.0.1",
	} {
		h.ask(http.DefaultClient, "GET", "/v2/catalog", nil, "X-Forwarded-For: "+sent)
		if seen != want {
			t.Errorf("%q: %s, want %s", sent, seen, want)
		}
	}
}

// TestServeEndsStreams: a stream that would go on for ever ends when the server does, at once.
func TestServeEndsStreams(t *testing.T) {
	begun := make(chan struct{})
	h := build(t, dbtest.New(t), func(c *web.Config) {
		c.Pages = mounter(func(e *echo.Echo) {
			e.GET("/static/stream", func(c echo.Context) error {
				c.Response().WriteHeader(200)
				c.Response().Flush()
				close(begun)
				<-c.Request().Context().Done()
				return nil
			})
		})
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.server.Serve(ctx, l) }()
	go func() {
		resp, _ := h.ask(http.DefaultClient, "GET", "http://"+l.Addr().String()+"/static/stream", nil, "Accept: text/event-stream")
		resp.Body.Close()
	}()
	<-begun
	stop()
	select {
	case err := <-ended:
		must(t, err)
	case <-time.After(5 * time.Second):
		t.Fatal("the stream holds the server")
	}
}
