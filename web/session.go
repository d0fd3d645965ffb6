package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/problem"
)

// Sessions are browser sessions: kept in the store under a hash of their token, at most 12 hours, at most one hour without a request.
type Sessions struct {
	scs *scs.SessionManager
	log *slog.Logger
}

const humanKey = "human"

// NewSessions makes the sessions of a market at a public URL; https makes their cookie __Host- and secure.
func NewSessions(db *database.DB, publicURL string, log *slog.Logger) *Sessions {
	m := scs.New()
	m.Store, m.HashTokenInStore = sessionStore{db}, true
	m.Lifetime, m.IdleTimeout = 12*time.Hour, time.Hour
	m.Cookie.Name, m.Cookie.HttpOnly, m.Cookie.SameSite, m.Cookie.Path = "sutler", true, http.SameSiteLaxMode, "/"
	if strings.HasPrefix(publicURL, "https://") {
		m.Cookie.Name, m.Cookie.Secure = "__Host-sutler", true
	}
	m.ErrorFunc = func(w http.ResponseWriter, r *http.Request, err error) { problem.Answer(w, r, log, err) }
	return &Sessions{scs: m, log: log}
}

// Begin signs a human in, under a fresh session id.
func (s *Sessions) Begin(ctx context.Context, human string) error {
	if err := s.scs.Clear(ctx); err != nil {
		return err
	}
	if err := s.scs.RenewToken(ctx); err != nil {
		return err
	}
	s.scs.Put(ctx, humanKey, human)
	return nil
}

// End signs out.
func (s *Sessions) End(ctx context.Context) error { return s.scs.Destroy(ctx) }

// who gives the principal of the request's session, with current grants; Nobody when there is none or its human is gone.
func (s *Sessions) who(ctx context.Context, d *directory.Directory) (identity.Principal, error) {
	human := s.scs.GetString(ctx, humanKey)
	if human == "" {
		return identity.Principal{}, nil
	}
	p, err := d.ByHuman(ctx, human)
	if err != nil {
		if fault.KindOf(err) == fault.Unauthenticated {
			return identity.Principal{}, s.End(ctx)
		}
		return identity.Principal{}, err
	}
	sum := sha256.Sum256([]byte(s.scs.Token(ctx)))
	p.Session = "ses_" + hex.EncodeToString(sum[:8]) // names the session in the audit trail without opening it
	return p, nil
}

// sessions loads and saves the session where an area has one.
func (s *Server) sessions(next http.Handler) http.Handler {
	with := s.Sessions.scs.LoadAndSave(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, bearer := bearerOf(r)
		if a := areaOf(r.URL.Path); a.sessions() && (!bearer || a == signin) {
			with.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}
