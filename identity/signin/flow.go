package signin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/sutlerhq/sutler/internal/fault"
)

// flowLife is how long a sign-in may take.
const flowLife = 10 * time.Minute

// flow is one sign-in under way. Only its state travels; nonce and verifier are derived from the browser's cookie, so that the store keeps no
// secret and another browser can make nothing of a state.
type flow struct {
	state, browser string
}

func (f flow) derive(purpose string) string {
	m := hmac.New(sha256.New, []byte(f.browser))
	m.Write([]byte(purpose + "\x00" + f.state))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

func (f flow) nonce() string    { return f.derive("nonce") }
func (f flow) verifier() string { return f.derive("verifier") }

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (s *SignIn) cookieName() string {
	if s.secure {
		return "__Host-sutler-signin"
	}
	return "sutler-signin"
}

func (s *SignIn) browser(r *http.Request) string {
	c, err := r.Cookie(s.cookieName())
	if err != nil || len(c.Value) != 2*len(rand.Text()) {
		return ""
	}
	return c.Value
}

// begin keeps a new flow of this browser, which gets its cookie unless it has one from another tab.
func (s *SignIn) begin(w http.ResponseWriter, r *http.Request, issuer, returnTo string) (flow, error) {
	f := flow{state: rand.Text(), browser: s.browser(r)}
	if f.browser == "" {
		f.browser = rand.Text() + rand.Text()
	}
	now := s.Clock.Now()
	row := flowRow{Hash: digest(f.state), Browser: digest(f.browser), Issuer: issuer, ReturnTo: returnTo, ExpiresAt: now.Add(flowLife).UnixMicro()}
	err := s.DB.Tx(r.Context(), func(ctx context.Context) error { return s.rows.add(ctx, row, now.UnixMicro()) })
	if err != nil {
		return flow{}, err
	}
	http.SetCookie(w, &http.Cookie{
		Name: s.cookieName(), Value: f.browser, Path: "/", MaxAge: int(flowLife.Seconds()),
		HttpOnly: true, Secure: s.secure, SameSite: http.SameSiteLaxMode,
	})
	return f, nil
}

// spend takes a flow away; it works once, in the browser that began it, in time.
func (s *SignIn) spend(r *http.Request) (flow, flowRow, error) {
	f := flow{state: r.URL.Query().Get("state"), browser: s.browser(r)}
	var row flowRow
	var found bool
	err := s.DB.Tx(r.Context(), func(ctx context.Context) (err error) {
		row, found, err = s.rows.spend(ctx, digest(f.state), digest(f.browser), s.Clock.Now().UnixMicro())
		return err
	})
	if err == nil && (!found || f.browser == "") {
		err = fault.Invalid.Errorf("This sign-in has expired, was used already, or began in another browser.").WithHint("Start again.")
	}
	return f, row, err
}

// local lets only a path of ours be returned to.
func local(path string) string {
	u, err := url.Parse(path)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Opaque != "" || u.User != nil || !strings.HasPrefix(path, "/") ||
		strings.HasPrefix(path, "//") || strings.Contains(path, "\\") || strings.ContainsFunc(path, unicode.IsControl) || strings.HasPrefix(u.Path, "/auth/") || len(path) > 2000 ||
		strings.Contains(u.Path, "//") { // "/.//x" is "//x" to a browser, and that another host to whoever redirects once more
		return "/"
	}
	return path
}
