package signin

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
)

// Issuer is an OpenID provider that people may come through.
type Issuer struct {
	ID     string // stable for ever: people are linked by it. Ours is directory.OwnIssuer
	Name   string // shown when there is a choice
	URL    string
	Client string
	Secret seal.Secret  // empty for a public client
	HTTP   *http.Client // how it is reached; required
}

// Sessions begins and ends browser sessions for the request whose context it gets; *web.Sessions does.
type Sessions interface {
	Begin(ctx context.Context, human string) error // under a fresh id
	End(ctx context.Context) error
}

// Config is what sign-in works with. All are required but Clock, which is the wall's when nil.
type Config struct {
	PublicURL string
	DB        *database.DB
	Directory *directory.Directory
	Sessions  Sessions
	Issuers   []Issuer // ours first
	Clock     clock.Clock
	Log       *slog.Logger
}

// SignIn answers below /auth. It is an http.Handler.
type SignIn struct {
	http.Handler
	Config
	rows    store
	parties map[string]*party
	secure  bool
}

// New makes sign-in. Issuers are asked for their metadata at the first sign-in, not now.
func New(c Config) (*SignIn, error) {
	if c.Clock == nil {
		c.Clock = clock.Wall{}
	}
	c.PublicURL = strings.TrimSuffix(c.PublicURL, "/")
	s := &SignIn{Config: c, rows: store{c.DB}, parties: map[string]*party{}, secure: strings.HasPrefix(c.PublicURL, "https://")}
	for _, i := range c.Issuers {
		if i.ID == "" || i.URL == "" || i.Client == "" || i.HTTP == nil || s.parties[i.ID] != nil {
			return nil, fault.Invalid.Errorf("The issuer %q needs an id of its own, an address and a client.", i.ID)
		}
		s.parties[i.ID] = &party{Issuer: i, redirect: c.PublicURL + "/auth/callback"}
	}
	if len(c.Issuers) == 0 {
		return nil, fault.Invalid.Errorf("Nobody could sign in: no issuer is configured.")
	}
	s.Handler = s.routes()
	return s, nil
}

type route struct {
	method, path string
	handler      http.HandlerFunc
}

func (s *SignIn) table() []route {
	return []route{
		{"GET", "/auth/login", s.login},
		{"GET", "/auth/callback", s.callback},
		{"POST", "/auth/logout", s.logout},
	}
}

// Routes lists every method and path that is answered.
func (s *SignIn) Routes() []string {
	var routes []string
	for _, r := range s.table() {
		routes = append(routes, r.method+" "+r.path)
	}
	return routes
}

func (s *SignIn) routes() http.Handler {
	mux := http.NewServeMux()
	for _, r := range s.table() {
		mux.Handle(r.method+" "+r.path, r.handler)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// logout ends the session and goes to the front page.
func (s *SignIn) logout(w http.ResponseWriter, r *http.Request) {
	if err := s.Sessions.End(r.Context()); err != nil {
		s.refuse(w, r, err)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}
