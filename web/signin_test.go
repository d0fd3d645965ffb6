package web_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/issuer"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
)

func TestSignInEndToEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, nil)
		c := h.browser()
		resp, body := h.signIn(c, "root@example.com", password, "/o/acme?tab=1&x=%23")
		if resp.StatusCode != 200 || body != "person/root@example.com" || resp.Request.URL.RequestURI() != "/o/acme?tab=1&x=%23" {
			t.Fatal(resp.StatusCode, resp.Request.URL, body)
		}
		if resp, body := h.ask(c, "GET", "/api/v1/whoami", nil); resp.StatusCode != 200 || body != "person/root@example.com" {
			t.Fatal(resp.StatusCode, body)
		}
		if resp, _ := h.ask(still(c), "POST", "/auth/logout", url.Values{}); resp.StatusCode != http.StatusSeeOther {
			t.Fatal(resp.StatusCode)
		}
		if resp, _ := h.ask(c, "GET", "/api/v1/whoami", nil); resp.StatusCode != 401 {
			t.Fatal("the session outlived the logout: ", resp.StatusCode)
		}
	})
}

func TestReturnToStaysHere(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	for _, evil := range []string{"//evil.example.com/", `/\evil.example.com`, "https://evil.example.com/", "javascript:alert(1)", "/%2f/evil", "/auth/logout", "evil"} {
		resp, body := h.signIn(h.browser(), "root@example.com", password, "/auth/login?return_to="+url.QueryEscape(evil))
		if u := resp.Request.URL; "http://"+u.Host != h.url || strings.HasPrefix(u.Path, "//") || u.Path == "/auth/logout" {
			t.Errorf("%s led to %s: %s", evil, u, body)
		}
	}
}

// callbackOf signs in up to the address with code and state that the issuer sends the browser to.
func (h *house) callbackOf(c *http.Client) string {
	h.t.Helper()
	_, page := h.ask(c, "GET", "/auth/login", nil)
	form := url.Values{"id": {h.formID(page)}, "email": {"root@example.com"}, "password": {password}}
	resp, body := h.ask(still(c), "POST", "/oidc/login", form)
	if resp.StatusCode != http.StatusSeeOther {
		h.t.Fatal(resp.StatusCode, body)
	}
	resp, body = h.ask(still(c), "GET", resp.Header.Get("Location"), nil)
	if resp.StatusCode != http.StatusFound {
		h.t.Fatal(resp.StatusCode, body)
	}
	return resp.Header.Get("Location")
}

func TestCallbackWorksOnceInItsBrowser(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	c := h.browser()
	callback := h.callbackOf(c)
	if resp, _ := h.ask(still(h.browser()), "GET", callback, nil); resp.StatusCode != 400 {
		t.Error("another browser came in: ", resp.StatusCode)
	}
	u, err := url.Parse(callback)
	must(t, err)
	q := u.Query()
	q.Set("state", q.Get("state")+"A")
	if resp, _ := h.ask(still(c), "GET", "/auth/callback?"+q.Encode(), nil); resp.StatusCode != 400 {
		t.Error("a state that nobody gave was taken: ", resp.StatusCode)
	}
	if resp, body := h.ask(still(c), "GET", callback, nil); resp.StatusCode != http.StatusSeeOther {
		t.Fatal("the right one was refused: ", resp.StatusCode, body)
	}
	if resp, _ := h.ask(still(c), "GET", callback, nil); resp.StatusCode != 400 {
		t.Error("it worked twice: ", resp.StatusCode)
	}
}

// TestCodeOfAnotherFlow swaps codes between two flows of one browser: verifier and nonce belong to the state, so neither comes in.
func TestCodeOfAnotherFlow(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	c := h.browser()
	one, two := h.callbackOf(c), h.callbackOf(c)
	u1, err := url.Parse(one)
	must(t, err)
	u2, err := url.Parse(two)
	must(t, err)
	q := url.Values{"state": {u1.Query().Get("state")}, "code": {u2.Query().Get("code")}}
	if resp, _ := h.ask(still(c), "GET", "/auth/callback?"+q.Encode(), nil); resp.StatusCode != 401 {
		t.Fatal(resp.StatusCode)
	}
	q = url.Values{"state": {u2.Query().Get("state")}, "code": {u1.Query().Get("code")}, "iss": {"https://other.example.com"}}
	if resp, _ := h.ask(still(c), "GET", "/auth/callback?"+q.Encode(), nil); resp.StatusCode != 401 {
		t.Fatal("an answer of another issuer was taken: ", resp.StatusCode)
	}
}

func TestWrongPasswordAndItsLimit(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	c := h.browser()
	_, page := h.ask(c, "GET", "/auth/login", nil)
	id := h.formID(page)
	try := func(email, pass string) (int, string) {
		resp, body := h.ask(still(c), "POST", "/oidc/login", url.Values{"id": {id}, "email": {email}, "password": {pass}})
		return resp.StatusCode, body
	}
	known, knownBody := try("root@example.com", "wrong password")
	unknown, unknownBody := try("nobody@example.com", "wrong password")
	if known != 401 || unknown != 401 || strings.ReplaceAll(knownBody, "root@", "nobody@") != unknownBody {
		t.Fatal("the answer tells who has an account: ", known, unknown)
	}
	for range 9 {
		try("root@example.com", "wrong password")
	}
	if status, _ := try("ROOT@example.com ", password); status != 429 {
		t.Fatal("the eleventh attempt in a minute was taken: ", status)
	}
}

func TestManyAccountsFromOneAddress(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	c := h.browser()
	_, page := h.ask(c, "GET", "/auth/login", nil)
	id, passed := h.formID(page), 0
	for n := range 50 {
		form := url.Values{"id": {id}, "email": {fmt.Sprintf("someone%d@example.com", n)}, "password": {"wrong password"}}
		if resp, _ := h.ask(still(c), "POST", "/oidc/login", form); resp.StatusCode == 401 {
			passed++
		} else if resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
			t.Fatal(resp.StatusCode)
		}
	}
	if passed < 30 || passed > 40 { // the limit, and what came back while passwords were checked
		t.Fatal(passed, " guesses from one address passed")
	}
}

// command is a command line that signs in: verifier, and the address it is sent to with its code.
func (h *house) command(c *http.Client, change func(url.Values)) (code, verifier, redirect string) {
	h.t.Helper()
	verifier, redirect = strings.Repeat("v", 43), "http://127.0.0.1:45678/callback"
	sum := sha256.Sum256([]byte(verifier))
	q := url.Values{
		"client_id": {issuer.CLIClient}, "response_type": {"code"}, "redirect_uri": {redirect}, "scope": {"openid email"}, "state": {"s"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"},
	}
	if change != nil {
		change(q)
	}
	resp, page := h.ask(still(c), "GET", "/oidc/authorize?"+q.Encode(), nil)
	if !strings.HasPrefix(resp.Header.Get("Location"), "/oidc/login") {
		return "", page + resp.Header.Get("Location"), ""
	}
	resp, page = h.ask(c, "GET", resp.Header.Get("Location"), nil)
	if !strings.Contains(resp.Header.Get("Content-Security-Policy"), "form-action 'self' http://127.0.0.1:45678;") {
		h.t.Error("a browser would not follow the form's redirect: ", resp.Header)
	}
	form := url.Values{"id": {h.formID(page)}, "email": {"root@example.com"}, "password": {password}}
	resp, _ = h.ask(still(c), "POST", "/oidc/login", form)
	resp, body := h.ask(still(c), "GET", resp.Header.Get("Location"), nil)
	u, err := url.Parse(resp.Header.Get("Location"))
	must(h.t, err)
	if u.Host != "127.0.0.1:45678" {
		h.t.Fatal(resp.StatusCode, body)
	}
	return u.Query().Get("code"), verifier, redirect
}

type tokens struct {
	AccessToken string `json:"access_token"`
	IDToken     string `json:"id_token"`
	ExpiresIn   int    `json:"expires_in"`
}

func (h *house) exchange(code, verifier, redirect string) (int, tokens) {
	h.t.Helper()
	form := url.Values{"grant_type": {"authorization_code"}, "client_id": {issuer.CLIClient}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {redirect}}
	resp, body := h.ask(http.DefaultClient, "POST", "/oidc/oauth/token", form)
	var got tokens
	if resp.StatusCode == 200 {
		must(h.t, json.Unmarshal([]byte(body), &got))
	}
	return resp.StatusCode, got
}

func TestCommandLine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		h := build(t, db, nil)
		status, got := h.exchange(h.command(h.browser(), nil))
		if status != 200 || got.ExpiresIn > 3600 {
			t.Fatal(status, got)
		}
		if resp, body := h.ask(http.DefaultClient, "GET", "/api/v1/whoami", nil, "Authorization: Bearer "+got.AccessToken); resp.StatusCode != 200 || body != "person/root@example.com" {
			t.Fatal(resp.StatusCode, body)
		}
		if _, err := h.issuer.Verify(t.Context(), got.IDToken); fault.KindOf(err) != fault.Unauthenticated {
			t.Fatal("an id token passes for an access token: ", err)
		}
		claims := strings.Split(got.IDToken, ".")[1]
		b, err := base64.RawURLEncoding.DecodeString(claims)
		must(t, err)
		var c struct {
			Email    string `json:"email"`
			Verified bool   `json:"email_verified"`
			Iat, Exp int64
		}
		must(t, json.Unmarshal(b, &c))
		if c.Email != "root@example.com" || !c.Verified || c.Exp-c.Iat > 300 {
			t.Fatal(string(b))
		}
	})
}

func TestCodeWorksOnce(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	code, verifier, redirect := h.command(h.browser(), nil)
	var wg sync.WaitGroup
	got := make([]int, 4)
	for i := range got {
		wg.Go(func() { got[i], _ = h.exchange(code, verifier, redirect) })
	}
	wg.Wait()
	ok := 0
	for _, status := range got {
		if status == 200 {
			ok++
		}
	}
	if ok != 1 {
		t.Fatal(got)
	}
	code, _, redirect = h.command(h.browser(), nil)
	if status, _ := h.exchange(code, strings.Repeat("w", 43), redirect); status == 200 {
		t.Fatal("a wrong verifier was taken")
	}
}

func TestAuthorizeRefuses(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	for name, change := range map[string]func(url.Values){
		"no PKCE":         func(q url.Values) { q.Del("code_challenge") },
		"plain PKCE":      func(q url.Values) { q.Set("code_challenge_method", "plain") },
		"foreign address": func(q url.Values) { q.Set("redirect_uri", "https://evil.example.com/callback") },
		"other path":      func(q url.Values) { q.Set("redirect_uri", "http://127.0.0.1:1/evil") },
		"implicit":        func(q url.Values) { q.Set("response_type", "id_token token") },
		"form post":       func(q url.Values) { q.Set("response_mode", "form_post") },
		"unknown client":  func(q url.Values) { q.Set("client_id", "other") },
		"no login":        func(q url.Values) { q.Set("prompt", "none") },
		"web's address":   func(q url.Values) { q.Set("client_id", issuer.WebClient) },
	} {
		if code, said, _ := h.command(h.browser(), change); code != "" {
			t.Errorf("%s was taken", name)
		} else if strings.Contains(said, "evil.example.com/callback?") {
			t.Errorf("%s: an error was sent to a stranger: %s", name, said)
		}
	}
}

// TestAnotherFinishesMySignIn: who begins a sign-in and has somebody else type the password must not get the code.
func TestAnotherFinishesMySignIn(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	attacker, victim := h.browser(), h.browser()
	_, page := h.ask(attacker, "GET", "/auth/login", nil)
	id := h.formID(page)
	resp, _ := h.ask(still(victim), "POST", "/oidc/login", url.Values{"id": {id}, "email": {"root@example.com"}, "password": {password}})
	if resp.StatusCode == http.StatusSeeOther {
		t.Fatal("the victim's browser could finish what the attacker's began")
	}
	resp, _ = h.ask(still(attacker), "GET", "/oidc/authorize/callback?id="+id, nil)
	if strings.Contains(resp.Header.Get("Location"), "code=") {
		t.Fatal("the attacker got a code")
	}
}

func TestGoneHumanLosesItsSession(t *testing.T) {
	h := build(t, dbtest.New(t), nil)
	c := h.browser()
	h.signIn(c, "root@example.com", password, "/auth/login")
	ada, err := h.directory.SetMember(t.Context(), h.operator, "ada@example.com", identity.Owner, identity.Scope{Org: h.org.ID})
	must(t, err)
	must(t, h.directory.SetPassword(t.Context(), ada.Human.ID, password))
	before := cookies(c, h.url)
	h.signIn(c, "ada@example.com", password, "/auth/login")
	if after := cookies(c, h.url); before["sutler"] == after["sutler"] || after["sutler"] == "" {
		t.Fatal("the session kept its id over a sign-in")
	}
	if _, body := h.ask(c, "GET", "/api/v1/whoami", nil); body != "person/ada@example.com" {
		t.Fatal(body)
	}
	old := h.browser()
	if resp, _ := h.ask(old, "GET", "/api/v1/whoami", nil, "Cookie: sutler="+before["sutler"]); resp.StatusCode != 401 {
		t.Fatal("the former session still works: ", resp.StatusCode)
	}
}

func cookies(c *http.Client, at string) map[string]string {
	u, _ := url.Parse(at)
	all := map[string]string{}
	for _, k := range c.Jar.Cookies(u) {
		all[k.Name] = k.Value
	}
	return all
}
