package signin_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/identity/signin"
	"github.com/sutlerhq/sutler/internal/audit"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
)

// foreign is somebody else's issuer, which says whatever the test wants.
type foreign struct {
	t     *testing.T
	url   string
	key   *ecdsa.PrivateKey
	nonce string
	twist func(claims map[string]any)
	typ   jose.ContentType
	hmac  bool // sign with a secret that everybody knows
}

func (f *foreign) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		f.say(w, map[string]any{
			"issuer": f.url, "authorization_endpoint": f.url + "/authorize", "token_endpoint": f.url + "/token", "jwks_uri": f.url + "/keys",
			"id_token_signing_alg_values_supported": []string{"HS256", "none", "ES256"},
		})
	case "/keys":
		f.say(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: &f.key.PublicKey, KeyID: "k", Algorithm: "ES256", Use: "sig"}}})
	case "/token":
		f.say(w, map[string]any{"access_token": "a", "token_type": "Bearer", "id_token": f.idToken()})
	}
}

func (f *foreign) say(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(v); err != nil {
		f.t.Error(err)
	}
}

func (f *foreign) idToken() string {
	now := time.Now().Unix()
	claims := map[string]any{
		"iss": f.url, "aud": "market", "sub": "s1", "iat": now, "exp": now + 300, "nonce": f.nonce, "email": "ivy@example.com", "email_verified": true, "name": "Ivy",
	}
	if f.twist != nil {
		f.twist(claims)
	}
	key := jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: f.key, KeyID: "k"}}
	if f.hmac {
		key = jose.SigningKey{Algorithm: jose.HS256, Key: []byte("a secret that everybody knows ---")}
	}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType(f.typ))
	must(f.t, err)
	payload, err := json.Marshal(claims)
	must(f.t, err)
	jws, err := signer.Sign(payload)
	must(f.t, err)
	raw, err := jws.CompactSerialize()
	must(f.t, err)
	return raw
}

type nothing struct{}

func (nothing) Append(context.Context, audit.Entry) error { return nil }

// begun remembers whose session was begun.
type begun struct{ human string }

func (b *begun) Begin(_ context.Context, human string) error { b.human = human; return nil }
func (b *begun) End(context.Context) error                   { return nil }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatAForeignIssuerMayNotSay(t *testing.T) {
	db := dbtest.New(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	f := &foreign{t: t, key: key}
	server := httptest.NewServer(f)
	defer server.Close()
	f.url = server.URL
	sessions := &begun{}
	s, err := signin.New(signin.Config{
		PublicURL: "http://market.test", DB: db, Directory: directory.New(directory.Config{DB: db, Audit: nothing{}}), Sessions: sessions,
		Issuers: []signin.Issuer{{ID: "foreign", Name: "Foreign", URL: server.URL, Client: "market", HTTP: server.Client()}}, Log: slog.New(slog.DiscardHandler),
	})
	must(t, err)
	set := func(name string, value any) func(map[string]any) {
		return func(claims map[string]any) { claims[name] = value }
	}
	past := time.Now().Add(-time.Hour).Unix()
	for _, c := range []struct {
		name   string
		twist  func(map[string]any)
		typ    jose.ContentType
		hmac   bool
		status int
	}{
		{"unverified email", set("email_verified", false), "JWT", false, 403},
		{"another nonce", set("nonce", "other"), "JWT", false, 401},
		{"no nonce", set("nonce", ""), "JWT", false, 401},
		{"a logout token by its events", set("events", map[string]any{"http://schemas.openid.net/event/backchannel-logout": struct{}{}}), "JWT", false, 401},
		{"a logout token by its type", nil, "logout+jwt", false, 401},
		{"for somebody else", set("aud", "other"), "JWT", false, 401},
		{"authorized to somebody else", set("azp", "other"), "JWT", false, 401},
		{"for two, authorized to none", set("aud", []string{"market", "other"}), "JWT", false, 401},
		{"of another issuer", set("iss", "https://other.example.com"), "JWT", false, 401},
		{"expired", set("exp", past), "JWT", false, 401},
		{"from the future", set("iat", time.Now().Add(time.Hour).Unix()), "JWT", false, 401},
		{"nobody", set("sub", ""), "JWT", false, 401},
		{"signed with a shared secret", nil, "JWT", true, 401},
		{"all right", nil, "JWT", false, 303},
	} {
		f.twist, f.typ, f.hmac, sessions.human = c.twist, c.typ, c.hmac, ""
		login := httptest.NewRecorder()
		s.ServeHTTP(login, httptest.NewRequest("GET", "/auth/login?return_to=/x", nil))
		to, err := url.Parse(login.Header().Get("Location"))
		must(t, err)
		f.nonce = to.Query().Get("nonce")
		back := httptest.NewRequest("GET", "/auth/callback?code=c&state="+to.Query().Get("state"), nil)
		for _, cookie := range login.Result().Cookies() {
			back.AddCookie(cookie)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, back)
		if w.Code != c.status || (sessions.human != "") != (c.status == 303) {
			t.Errorf("%s: %d, session of %q", c.name, w.Code, sessions.human)
		}
	}
}
