package main

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"net"
	"net/http"
	"time"

	"golang.org/x/oauth2"
)

// cliClient is what the market's own issuer knows the command line as: a public client with a loopback redirect.
const cliClient = "sutler-cli"

// loginPatience is how long somebody may take to sign in.
const loginPatience = 5 * time.Minute

// landing is what the browser shows when it is sent back.
const landing = `<!doctype html><meta charset="utf-8"><title>Sutler</title><p>%s You can close this page.`

// authorise signs somebody in by authorization code with PKCE over a loopback redirect, and gives the access token.
func (s *session) authorise(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, loginPatience)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("no port is free for the browser to come back to: %w", err)
	}
	conf := oauth2.Config{
		ClientID: cliClient, Scopes: []string{"openid", "email", "profile"},
		RedirectURL: fmt.Sprintf("http://%s/callback", l.Addr()),
		Endpoint:    oauth2.Endpoint{AuthURL: address + "/oidc/authorize", TokenURL: address + "/oidc/oauth/token", AuthStyle: oauth2.AuthStyleInParams},
	}
	state, verifier := rand.Text(), oauth2.GenerateVerifier()
	back := make(chan answered, 1)
	server := &http.Server{Handler: callback(state, back), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(l) }() // ends with Shutdown
	defer func() {
		farewell, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
		defer cancel()
		_ = server.Shutdown(farewell) // let the browser have its page
	}()
	s.show(conf.AuthCodeURL(state, oauth2.S256ChallengeOption(verifier)))
	select {
	case <-ctx.Done():
		return "", notAuthorised("nobody came back from the browser")
	case got := <-back:
		if got.code == "" {
			return "", notAuthorised(got.reason)
		}
		token, err := conf.Exchange(ctx, got.code, oauth2.VerifierOption(verifier))
		if err != nil {
			return "", notAuthorised("the market did not take the code")
		}
		return token.AccessToken, nil
	}
}

// answered is what the browser brought back.
type answered struct{ code, reason string }

// callback takes the first request that carries our state; any other is nobody's business.
func callback(state string, back chan<- answered) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /callback", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if subtle.ConstantTimeCompare([]byte(q.Get("state")), []byte(state)) != 1 {
			http.Error(w, "This is not the sign-in that was begun.", http.StatusBadRequest)
			return
		}
		got := answered{code: q.Get("code"), reason: "the market said " + q.Get("error")}
		word := "You are signed in."
		if got.code == "" {
			word = "You are not signed in."
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprintf(w, landing, word)
		select {
		case back <- got:
		default: // it came back before
		}
	})
	return mux
}
