package web_test

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/identity/issuer"
	"github.com/sutlerhq/sutler/identity/signin"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/web"
)

// password is everybody's in these tests.
const password = "correct horse battery"

// books is billing as far as the directory needs it.
type books struct{}

func (books) OpenAccount(context.Context, string, string) (string, error) { return ids.New("acc"), nil }
func (books) LinkOrg(context.Context, string, string) error               { return nil }

// house is the front door with the real directory, issuer and sign-in behind it.
type house struct {
	t         *testing.T
	db        *database.DB
	box       *seal.Box
	engine    *tasks.Engine
	trail     *audit.Log
	directory *directory.Directory
	issuer    *issuer.Issuer
	server    *web.Server
	url       string
	operator  identity.Principal
	org       directory.Org
}

// mounter is a page or an API of a test.
type mounter func(e *echo.Echo)

func (m mounter) Mount(e *echo.Echo) { m(e) }

// whoami answers with the caller's label: enough of a page, an API and a stream.
func whoami(c echo.Context) error {
	return c.String(http.StatusOK, identity.From(c.Request().Context()).Label())
}

func build(t *testing.T, db *database.DB, change func(*web.Config)) *house {
	t.Helper()
	return furnish(t, db, func(_ *house, c *web.Config) {
		if change != nil {
			change(c)
		}
	})
}

// furnish builds a house that change puts more into before its door opens.
func furnish(t *testing.T, db *database.DB, change func(*house, *web.Config)) *house {
	t.Helper()
	ctx, log := t.Context(), slog.New(slog.DiscardHandler)
	box, err := seal.New(ctx, db, filepath.Join(t.TempDir(), "master.key"), true)
	must(t, err)
	engine := tasks.New(db, "test", ids.New("boot"), 4)
	trail, err := audit.New(ctx, db, box, engine)
	must(t, err)
	h := &house{t: t, db: db, box: box, engine: engine, trail: trail}
	h.directory = directory.New(directory.Config{DB: db, Audit: trail, Accounts: books{}})
	srv := httptest.NewUnstartedServer(nil)
	h.url = "http://" + srv.Listener.Addr().String()
	h.issuer, err = issuer.New(issuer.Config{PublicURL: h.url, DB: db, Directory: h.directory, Keys: box, Log: log})
	must(t, err)
	sessions := web.NewSessions(db, h.url, log)
	in, err := signin.New(signin.Config{
		PublicURL: h.url, DB: db, Directory: h.directory, Sessions: sessions, Log: log,
		Issuers: []signin.Issuer{{
			ID: directory.OwnIssuer, Name: "Sutler", URL: h.issuer.URL(), Client: issuer.WebClient, HTTP: signin.Inside(h.issuer.URL(), h.issuer),
		}},
	})
	must(t, err)
	c := web.Config{
		PublicURL: h.url, DB: db, Directory: h.directory, Sessions: sessions, Issuer: h.issuer, SignIn: in, Bearer: h.issuer.Verify, Log: log,
		Pages: mounter(func(e *echo.Echo) {
			e.GET("/", whoami)
			e.GET("/o/:org", whoami)
			e.POST("/o/:org", whoami)
		}),
		API: mounter(func(e *echo.Echo) {
			e.GET("/api/v1/whoami", whoami)
			e.POST("/api/v1/whoami", whoami)
			e.POST("/api/v1/body", func(c echo.Context) error {
				_, err := io.Copy(io.Discard, c.Request().Body)
				return err
			})
			e.GET("/api/v1/panic", func(echo.Context) error { panic("password=hunter2") })
		}),
		Ready: func(context.Context) error { return nil },
	}
	change(h, &c)
	h.server = web.New(c)
	srv.Config.Handler = h.server.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	root, err := h.directory.Bootstrap(ctx, "root@example.com", "Root", password)
	must(t, err)
	h.operator, err = h.directory.ByHuman(ctx, root.ID)
	must(t, err)
	h.org, err = h.directory.CreateOrg(ctx, h.operator, "acme", "Acme", "", "EUR")
	must(t, err)
	h.operator, err = h.directory.ByHuman(ctx, root.ID) // who is its owner now
	must(t, err)
	return h
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err, fault.Of(err).Unwrap())
	}
}

// browser keeps cookies and follows redirects.
func (h *house) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	must(h.t, err)
	return &http.Client{Jar: jar}
}

// still is the browser, but it stops at redirects.
func still(c *http.Client) *http.Client {
	d := *c
	d.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &d
}

// ask sends one request with headers given as "Name: value" and reads the answer.
func (h *house) ask(c *http.Client, method, at string, form url.Values, headers ...string) (*http.Response, string) {
	h.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = h.url + at
	}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequestWithContext(h.t.Context(), method, at, body)
	must(h.t, err)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Set(name, value)
	}
	resp, err := c.Do(r)
	must(h.t, err)
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	must(h.t, err)
	return resp, string(b)
}

var hidden = regexp.MustCompile(`name="id" value="([^"]*)"`)

// formID finds the request's id in the login page.
func (h *house) formID(page string) string {
	h.t.Helper()
	m := hidden.FindStringSubmatch(page)
	if m == nil {
		h.t.Fatal("no login form in: ", page)
	}
	return html.UnescapeString(m[1])
}

// signIn walks through the whole of it: page, redirect, form, callback, page.
func (h *house) signIn(c *http.Client, email, pass, at string) (*http.Response, string) {
	h.t.Helper()
	_, page := h.ask(c, "GET", at, nil)
	return h.ask(c, "POST", "/oidc/login", url.Values{"id": {h.formID(page)}, "email": {email}, "password": {pass}}, "Origin: "+h.url)
}
