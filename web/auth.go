package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/fault"
)

var anonymous = fault.Unauthenticated.Errorf("You are not signed in.").
	WithHint("Run sutler login, or send an API token as Authorization: Bearer …")

// authenticated answers who is asking, puts them into the request's context, and turns away whom the area does not let in.
func (s *Server) authenticated(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		a := areaOf(r.URL.Path)
		if a == machines {
			return next(c)
		}
		token, bearer := bearerOf(r)
		bearer = bearer && (a == api || a == pages)
		if a.forms() && !bearer {
			if err := s.csrf.Check(r); err != nil {
				return fault.Forbidden.Wrap(err, "This request came from another site.")
			}
		}
		if a != api && a != pages {
			return next(c)
		}
		who, err := s.who(r, token, bearer)
		if err != nil {
			return err
		}
		if who.Kind == identity.Nobody {
			return s.turnAway(c, a)
		}
		who.RemoteIP = identity.From(r.Context()).RemoteIP
		c.SetRequest(r.WithContext(identity.With(r.Context(), who)))
		return next(c)
	}
}

// who finds the principal by bearer token or session; Nobody when there is neither.
func (s *Server) who(r *http.Request, token string, bearer bool) (identity.Principal, error) {
	if !bearer {
		return s.Sessions.who(r.Context(), s.Directory)
	}
	verify := s.Directory.ByToken
	if !strings.HasPrefix(token, directory.TokenPrefix) && s.Bearer != nil {
		verify = s.Bearer
	}
	who, err := verify(r.Context(), token)
	if err == nil || fault.KindOf(err) != fault.Unauthenticated {
		return who, err
	}
	// Only what failed counts: a neighbour's wrong tokens shut nobody out.
	if !s.failures.allow(identity.Network(identity.From(r.Context()).RemoteIP)) {
		err = fault.TooMany.Errorf("Too many wrong tokens came from your address.").WithHint("Wait a minute.")
	}
	return identity.Principal{}, err
}

// turnAway sends a browser to sign in and come back, and tells everybody else.
func (s *Server) turnAway(c echo.Context, a area) error {
	r := c.Request()
	browses := r.Method == http.MethodGet || r.Method == http.MethodHead
	if a != pages || !browses || strings.Contains(r.Header.Get("Accept"), "text/event-stream") {
		return anonymous
	}
	c.Response().Header().Set("Cache-Control", "no-store")
	if r.URL.Path == "/" {
		return c.Redirect(http.StatusSeeOther, "/signin") // says what this is before it asks who you are
	}
	return c.Redirect(http.StatusSeeOther, "/auth/login?return_to="+url.QueryEscape(r.URL.RequestURI()))
}

func bearerOf(r *http.Request) (string, bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}
