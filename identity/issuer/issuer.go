package issuer

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"log/slog"
	"net/http"
	"strings"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Path is where the issuer is mounted; the issuer's URL is the public URL followed by it.
const Path = "/oidc"

// The clients. Both are public and prove themselves with PKCE.
const (
	WebClient = "sutler-web" // the pages; comes back to <public URL>/auth/callback
	CLIClient = "sutler-cli" // the command line; comes back to /callback or / on a loopback address, any port (RFC 8252)
)

// Keys gives the key that tokens are signed with; *seal.Box is one.
type Keys interface {
	SigningKey(ctx context.Context, purpose string) (key *ecdsa.PrivateKey, id string, err error)
}

// Config is what the issuer works with. All are required but Clock, which is the wall's when nil.
type Config struct {
	PublicURL string // of the market, without a path: https://market.example.com
	DB        *database.DB
	Directory *directory.Directory
	Keys      Keys
	Clock     clock.Clock
	Log       *slog.Logger
}

// Issuer is our OpenID provider, an http.Handler for everything below Path.
type Issuer struct {
	http.Handler
	url       string
	secure    bool
	provider  *op.Provider
	storage   *storage
	directory *directory.Directory
	clock     clock.Clock
	log       *slog.Logger
	limit     *attempts
}

// New makes the issuer of a public URL.
func New(c Config) (*Issuer, error) {
	if c.Clock == nil {
		c.Clock = clock.Wall{}
	}
	public := strings.TrimSuffix(c.PublicURL, "/")
	i := &Issuer{
		url: public + Path, secure: strings.HasPrefix(public, "https://"), directory: c.Directory, clock: c.Clock, log: c.Log,
		storage: &storage{rows: store{c.DB}, db: c.DB, directory: c.Directory, keys: c.Keys, clock: c.Clock, log: c.Log, clients: clients(public)},
		limit:   newAttempts(c.Clock),
	}
	config := &op.Config{
		CodeMethodS256:  true,
		SupportedScopes: []string{oidc.ScopeOpenID, oidc.ScopeEmail, oidc.ScopeProfile},
		SupportedClaims: []string{"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "email", "email_verified", "name"},
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // it only shapes codes, which are found by their hash: no other process needs it
	options := []op.Option{
		op.WithCrypto(op.NewAES256GCMCrypto(key, "")), // alone: by default, old ciphertexts that prove nothing are read as well
		op.WithCORSOptions(nil),                       // no page of another origin has business here
		op.WithAccessTokenVerifierOpts(op.WithSupportedAccessTokenSigningAlgorithms("ES256")),
		op.WithIDTokenHintVerifierOpts(op.WithSupportedIDTokenHintSigningAlgorithms("ES256")),
	}
	if !i.secure {
		options = append(options, op.WithAllowInsecure())
	}
	var err error
	if i.provider, err = op.NewProvider(config, i.storage, op.StaticIssuer(i.url), options...); err != nil {
		return nil, fault.Invalid.Wrap(err, "The public URL %q is no issuer's address.", c.PublicURL).WithHint("Use http:// or https:// and a host.")
	}
	i.Handler = i.routes()
	return i, nil
}

// URL is the issuer's identifier in tokens.
func (i *Issuer) URL() string { return i.url }

// Routes lists every method and path that is answered, as "GET /oidc/login". What is not listed is not there.
func (i *Issuer) Routes() []string {
	var routes []string
	for _, r := range i.table() {
		routes = append(routes, r.method+" "+Path+r.path)
	}
	return routes
}

type route struct {
	method, path string
	handler      http.Handler
}

func (i *Issuer) table() []route {
	public, browser := http.Handler(i.provider), i.bound(i.provider)
	return []route{
		{"GET", "/.well-known/openid-configuration", http.HandlerFunc(i.discover)},
		{"GET", "/keys", public},
		{"GET", "/authorize", i.binding(i.provider)},
		{"GET", "/authorize/callback", browser},
		{"POST", "/oauth/token", public},
		{"GET", "/userinfo", public},
		{"POST", "/revoke", public},
		{"GET", "/login", i.bound(http.HandlerFunc(i.showLogin))},
		{"POST", "/login", i.bound(http.HandlerFunc(i.takeLogin))},
		{"GET", "/login.css", http.HandlerFunc(serveStyle)},
	}
}

func (i *Issuer) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range i.table() {
		mux.Handle(r.method+" "+Path+r.path, http.StripPrefix(Path, r.handler))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// Verify answers who an access token of the command line's belongs to, with current grants; fault.Unauthenticated otherwise.
func (i *Issuer) Verify(ctx context.Context, token string) (identity.Principal, error) {
	unknown := fault.Unauthenticated.Errorf("The access token is not valid.").WithHint("Sign in again.")
	ctx = op.ContextWithIssuer(ctx, i.url)
	claims, err := op.VerifyAccessToken[*oidc.AccessTokenClaims](ctx, token, i.provider.AccessTokenVerifier(ctx))
	if err != nil || claims.JWTID == "" {
		return identity.Principal{}, unknown
	}
	// An id token has the same signature. What makes an access token is its row, which also lets it be revoked.
	row, found, err := i.storage.rows.token(ctx, claims.JWTID, i.clock.Now().UnixMicro())
	if err != nil {
		return identity.Principal{}, err
	}
	if !found || row.Client != CLIClient || row.Human != claims.Subject {
		return identity.Principal{}, unknown
	}
	p, err := i.directory.ByHuman(ctx, row.Human)
	p.Token = claims.JWTID
	return p, err
}
