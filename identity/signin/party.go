package signin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/sutlerhq/sutler/internal/fault"
)

// algorithms are those we take, whatever an issuer announces: never none, never a shared secret.
var algorithms = []string{oidc.RS256, oidc.PS256, oidc.ES256, oidc.ES384, oidc.EdDSA}

// party is us as a client of one issuer. Its metadata is fetched when first needed, and kept.
type party struct {
	Issuer
	redirect string
	mu       sync.Mutex
	provider *oidc.Provider
	allowed  []string
}

// claims are what we read of an id token.
type claims struct {
	Subject  string          `json:"sub"`
	Email    string          `json:"email"`
	Verified bool            `json:"email_verified"`
	Name     string          `json:"name"`
	AZP      string          `json:"azp"`
	Events   json.RawMessage `json:"events"`
}

func (p *party) ready(ctx context.Context) (*oidc.Provider, []string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.provider != nil {
		return p.provider, p.allowed, nil
	}
	// The provider keeps this context for its keys, so it must not end with the request.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.HTTP), p.URL)
	if err != nil {
		return nil, nil, fault.Unavailable.Wrap(err, "The issuer %s does not answer.", p.Name).WithHint("Try again in a moment.")
	}
	var meta struct {
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := provider.Claims(&meta); err != nil {
		return nil, nil, fault.Unavailable.Wrap(err, "The issuer %s describes itself in a way that cannot be read.", p.Name)
	}
	if len(meta.Algorithms) == 0 {
		meta.Algorithms = []string{oidc.RS256} // what the standard says when nothing is said
	}
	allowed := slices.DeleteFunc(meta.Algorithms, func(a string) bool { return !slices.Contains(algorithms, a) })
	if len(allowed) == 0 {
		return nil, nil, fault.Unavailable.Errorf("The issuer %s signs in no way that is accepted here.", p.Name)
	}
	p.provider, p.allowed = provider, allowed
	return provider, allowed, nil
}

func (p *party) oauth(provider *oidc.Provider) *oauth2.Config {
	endpoint := provider.Endpoint()
	if p.Secret == "" {
		endpoint.AuthStyle = oauth2.AuthStyleInParams // a public client sends its id in the form
	}
	return &oauth2.Config{
		ClientID: p.Client, ClientSecret: p.Secret.Reveal(), Endpoint: endpoint, RedirectURL: p.redirect,
		Scopes: []string{oidc.ScopeOpenID, "email", "profile"},
	}
}

// address is where a browser is sent to sign in.
func (p *party) address(ctx context.Context, f flow) (string, error) {
	provider, _, err := p.ready(ctx)
	if err != nil {
		return "", err
	}
	return p.oauth(provider).AuthCodeURL(f.state, oidc.Nonce(f.nonce()), oauth2.S256ChallengeOption(f.verifier())), nil
}

// redeem trades a code for the claims of a verified id token.
func (p *party) redeem(ctx context.Context, f flow, code string) (claims, error) {
	provider, allowed, err := p.ready(ctx)
	if err != nil {
		return claims{}, err
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.HTTP), 20*time.Second)
	defer cancel()
	refused := func(err error) error {
		return fault.Unauthenticated.Wrap(err, "The issuer %s did not confirm the sign-in.", p.Name).WithHint("Start again.")
	}
	token, err := p.oauth(provider).Exchange(ctx, code, oauth2.VerifierOption(f.verifier()))
	if err != nil {
		return claims{}, refused(err)
	}
	raw, _ := token.Extra("id_token").(string)
	id, err := provider.VerifierContext(ctx, &oidc.Config{ClientID: p.Client, SupportedSigningAlgs: allowed}).Verify(ctx, raw)
	if err != nil {
		return claims{}, refused(err)
	}
	c, err := p.check(f, raw, id)
	if err != nil {
		return claims{}, refused(err)
	}
	return c, nil
}

// check looks at what the library leaves to us: nonce, authorized party, age, and that this is no logout token.
func (p *party) check(f flow, raw string, id *oidc.IDToken) (claims, error) {
	var c claims
	if err := id.Claims(&c); err != nil {
		return c, err
	}
	switch {
	case id.Nonce != f.nonce():
		return c, fault.Unauthenticated.Errorf("nonce")
	case len(c.Events) > 0 || isLogout(raw):
		return c, fault.Unauthenticated.Errorf("a logout token")
	case (len(id.Audience) > 1 || c.AZP != "") && c.AZP != p.Client:
		return c, fault.Unauthenticated.Errorf("authorized party")
	case time.Until(id.IssuedAt) > time.Minute:
		return c, fault.Unauthenticated.Errorf("issued in the future")
	case c.Subject == "":
		return c, fault.Unauthenticated.Errorf("no subject")
	}
	return c, nil
}

func isLogout(raw string) bool {
	head, _, _ := strings.Cut(raw, ".")
	b, err := base64.RawURLEncoding.DecodeString(head)
	var h struct {
		Type string `json:"typ"`
	}
	return err != nil || json.Unmarshal(b, &h) != nil || strings.EqualFold(h.Type, "logout+jwt")
}
