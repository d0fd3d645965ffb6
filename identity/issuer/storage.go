package issuer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strings"
	"time"

	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"

	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// How long things live.
const (
	requestLife = 10 * time.Minute
	codeLife    = time.Minute
	accessLife  = 15 * time.Minute
)

// storage answers the library's questions from our rows. The library shows the texts of the errors it gets to the caller, so only errors made
// for that leave here.
type storage struct {
	rows      store
	db        *database.DB
	directory *directory.Directory
	keys      Keys
	clock     clock.Clock
	log       *slog.Logger
	clients   map[string]*client
}

var _ op.Storage = (*storage)(nil)

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// broken logs what happened and gives an error that tells nothing.
func (s *storage) broken(ctx context.Context, err error) error {
	s.log.ErrorContext(ctx, "issuer", "error", err)
	return oidc.ErrServerError().WithDescription("The issuer cannot answer now. Try again.")
}

// CreateAuthRequest keeps a request that the library found to fit its client, if it also fits us: PKCE with S256, and a login.
func (s *storage) CreateAuthRequest(ctx context.Context, ar *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	switch {
	case ar.CodeChallenge == "" || ar.CodeChallengeMethod != oidc.CodeChallengeMethodS256:
		return nil, oidc.ErrInvalidRequest().WithDescription("PKCE with S256 is required.")
	case len(ar.Prompt) == 1 && ar.Prompt[0] == oidc.PromptNone:
		return nil, oidc.ErrLoginRequired()
	case ar.ResponseMode != "" && ar.ResponseMode != oidc.ResponseModeQuery:
		return nil, oidc.ErrInvalidRequest().WithDescription("Only the response mode query is possible.")
	case len(ar.State) > 1024 || len(ar.Nonce) > 1024 || len(ar.CodeChallenge) > 128 || len(ar.RedirectURI) > 1024:
		return nil, oidc.ErrInvalidRequest().WithDescription("A parameter is too long.")
	}
	now := s.clock.Now()
	id := rand.Text()
	r := requestRow{
		Hash: digest(id), Browser: browserOf(ctx), Client: ar.ClientID, Redirect: ar.RedirectURI, State: ar.State, Nonce: ar.Nonce,
		Scopes: strings.Join(ar.Scopes, " "), Challenge: ar.CodeChallenge, ExpiresAt: now.Add(requestLife).UnixMicro(),
	}
	err := s.db.Tx(ctx, func(ctx context.Context) error { return s.rows.addRequest(ctx, r, now.UnixMicro()) })
	if err != nil {
		return nil, s.broken(ctx, err)
	}
	return &request{id: id, requestRow: r}, nil
}

// AuthRequestByID finds a request that this browser began.
func (s *storage) AuthRequestByID(ctx context.Context, id string) (op.AuthRequest, error) {
	r, err := s.requestOf(ctx, id)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (s *storage) requestOf(ctx context.Context, id string) (*request, error) {
	row, found, err := s.rows.request(ctx, digest(id), browserOf(ctx), s.clock.Now().UnixMicro())
	if err != nil {
		return nil, s.broken(ctx, err)
	}
	if !found {
		return nil, oidc.ErrInvalidRequest().WithDescription("This sign-in has expired or began in another browser. Start again.")
	}
	return &request{id: id, requestRow: row}, nil
}

// AuthRequestByCode spends the code: it works once, whatever comes of it.
func (s *storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	var row requestRow
	var found bool
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		row, found, err = s.rows.spendCode(ctx, digest(code), s.clock.Now().UnixMicro())
		return err
	})
	if err != nil {
		return nil, s.broken(ctx, err)
	}
	if !found {
		return nil, oidc.ErrInvalidGrant().WithDescription("The code is not valid any more.")
	}
	return &request{requestRow: row}, nil
}

// SaveAuthCode keeps a code's hash beside its request.
func (s *storage) SaveAuthCode(ctx context.Context, id, code string) error {
	var set bool
	err := s.db.Tx(ctx, func(ctx context.Context) (err error) {
		set, err = s.rows.setCode(ctx, digest(id), digest(code), s.clock.Now().Add(codeLife).UnixMicro())
		return err
	})
	if err != nil {
		return s.broken(ctx, err)
	}
	if !set {
		return oidc.ErrInvalidRequest().WithDescription("This sign-in is over. Start again.")
	}
	return nil
}

// DeleteAuthRequest does nothing: a request went when its code was spent.
func (s *storage) DeleteAuthRequest(context.Context, string) error { return nil }

// CreateAccessToken keeps a token's row.
func (s *storage) CreateAccessToken(ctx context.Context, tr op.TokenRequest) (string, time.Time, error) {
	r, ok := tr.(*request)
	if !ok {
		return "", time.Time{}, oidc.ErrUnsupportedGrantType()
	}
	expires := s.clock.Now().Add(accessLife)
	t := tokenRow{ID: ids.New("tok"), Human: r.Human, Client: r.Client, ExpiresAt: expires.UnixMicro()}
	err := s.db.Tx(ctx, func(ctx context.Context) error { return s.rows.addToken(ctx, t) })
	if err != nil {
		return "", time.Time{}, s.broken(ctx, err)
	}
	return t.ID, expires, nil
}

// TerminateSession ends a client's tokens of a human.
func (s *storage) TerminateSession(ctx context.Context, human, client string) error {
	err := s.db.Tx(ctx, func(ctx context.Context) error { return s.rows.dropTokensOf(ctx, human, client) })
	if err != nil {
		return s.broken(ctx, err)
	}
	return nil
}

// RevokeToken ends one access token.
func (s *storage) RevokeToken(ctx context.Context, id, _, client string) *oidc.Error {
	err := s.db.Tx(ctx, func(ctx context.Context) error { return s.rows.dropToken(ctx, id, client) })
	if err != nil {
		s.log.ErrorContext(ctx, "issuer", "error", err)
		return oidc.ErrServerError()
	}
	return nil
}

// GetClientByClientID finds one of our two clients.
func (s *storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if c, ok := s.clients[id]; ok {
		return c, nil
	}
	return nil, oidc.ErrInvalidClient().WithDescription("There is no such client.")
}

// SetUserinfoFromRequest fills an id token.
func (s *storage) SetUserinfoFromRequest(ctx context.Context, u *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	return s.describe(ctx, u, r.GetSubject(), scopes)
}

// SetUserinfoFromToken answers /userinfo.
func (s *storage) SetUserinfoFromToken(ctx context.Context, u *oidc.UserInfo, id, subject, _ string) error {
	row, found, err := s.rows.token(ctx, id, s.clock.Now().UnixMicro())
	if err != nil {
		return s.broken(ctx, err)
	}
	if !found || row.Human != subject {
		return oidc.ErrInvalidRequest().WithDescription("The access token is not valid any more.")
	}
	return s.describe(ctx, u, subject, []string{oidc.ScopeEmail, oidc.ScopeProfile})
}

// describe says who a human is. We gave them their address, so it counts as verified.
func (s *storage) describe(ctx context.Context, u *oidc.UserInfo, human string, scopes []string) error {
	p, err := s.directory.ByHuman(ctx, human)
	if fault.KindOf(err) == fault.Unauthenticated && err != nil {
		return oidc.ErrAccessDenied().WithDescription("This account is gone.")
	}
	if err != nil {
		return s.broken(ctx, err)
	}
	u.Subject = human
	for _, scope := range scopes {
		switch scope {
		case oidc.ScopeEmail:
			u.Email, u.EmailVerified = p.Email, true
		case oidc.ScopeProfile:
			u.Name = p.Name
		}
	}
	return nil
}
