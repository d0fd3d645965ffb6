package web

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/clock"
	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Mounter adds its routes to the router. The API and the pages are Mounters.
type Mounter interface{ Mount(e *echo.Echo) }

// Config is what stands behind the door. Directory, DB and Log are required; a nil handler's paths are not there.
type Config struct {
	PublicURL      string // of the market; https makes cookies secure
	DB             *database.DB
	Directory      *directory.Directory
	Sessions       *Sessions // made by NewSessions; sign-in shares them
	API, Pages     Mounter
	OSB            http.Handler                                             // /v2/*, knows its callers itself
	Issuer         http.Handler                                             // /oidc/*
	SignIn         http.Handler                                             // /auth/*
	Webhooks       http.Handler                                             // /webhooks/*, knows its callers by their signatures
	Metrics        http.Handler                                             // /metrics, for operators
	Answered       func(method, route string, code int, took time.Duration) // told of every request by its route's template, for those who count; may be nil
	Ready          func(ctx context.Context) error
	Stopping       func()                                                              // called once when Serve is to end, so that requests that wait for something answer now; may be nil
	Bearer         func(ctx context.Context, token string) (identity.Principal, error) // tokens that are not the directory's
	TrustedProxies []netip.Prefix                                                      // whose X-Forwarded-For is believed
	BodyLimit      int64                                                               // bytes of a request; 0 means 1 MiB
	Clock          clock.Clock                                                         // the wall's when nil
	Log            *slog.Logger
}

// Server is the front door.
type Server struct {
	Config
	echo     *echo.Echo
	secure   bool
	csrf     *http.CrossOriginProtection
	failures *limiter // failed bearer tokens
	begins   *limiter // sign-ins begun
	stopping context.Context
	stop     context.CancelFunc
	running  sync.Map // id of a request -> its method and path
}

// New opens the door.
func New(c Config) *Server {
	if c.BodyLimit == 0 {
		c.BodyLimit = 1 << 20
	}
	if c.Clock == nil {
		c.Clock = clock.Wall{}
	}
	if c.Sessions == nil {
		c.Sessions = NewSessions(c.DB, c.PublicURL, c.Log)
	}
	s := &Server{
		Config: c, echo: echo.New(), secure: strings.HasPrefix(c.PublicURL, "https://"), csrf: http.NewCrossOriginProtection(),
		failures: newLimiter(c.Clock, 30), begins: newLimiter(c.Clock, 120),
	}
	s.stopping, s.stop = context.WithCancel(context.Background())
	if c.PublicURL != "" {
		if err := s.csrf.AddTrustedOrigin(strings.TrimSuffix(c.PublicURL, "/")); err != nil {
			c.Log.Warn("the public URL is no origin", "url", c.PublicURL, "error", err)
		}
	}
	s.echo.HideBanner, s.echo.HidePort = true, true
	s.echo.HTTPErrorHandler = s.fail
	s.echo.Use(s.meet, s.headers, s.logged, s.recovered, s.limited, echo.WrapMiddleware(s.sessions), s.authenticated)
	s.mount()
	return s
}

func (s *Server) mount() {
	s.echo.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	s.echo.GET("/readyz", s.ready)
	if s.Metrics != nil {
		s.echo.GET("/metrics", s.metrics)
	}
	for path, h := range s.given() {
		if h != nil {
			s.echo.Any(path, echo.WrapHandler(h))
		}
	}
	if s.API != nil {
		s.API.Mount(s.echo)
	}
	if s.Pages != nil {
		s.Pages.Mount(s.echo)
	}
}

// given are the handlers of protocols that know their callers themselves, by path.
func (s *Server) given() map[string]http.Handler {
	return map[string]http.Handler{"/v2": s.OSB, "/v2/*": s.OSB, "/oidc/*": s.Issuer, "/auth/*": s.SignIn, "/webhooks/*": s.Webhooks}
}

// Handler answers requests.
func (s *Server) Handler() http.Handler { return s.echo }

// Routes lists every method and path that is answered, as "GET /api/v1/apps/:app", sorted. The handlers that cmd gave list theirs when they
// have a Routes method; one that has none stands as "ANY /v2/*".
func (s *Server) Routes() []string {
	given := s.given()
	var routes []string
	for _, r := range s.echo.Routes() {
		if given[r.Path] == nil && r.Method != echo.RouteNotFound {
			routes = append(routes, r.Method+" "+r.Path)
		}
	}
	for path, h := range given {
		if lister, ok := h.(interface{ Routes() []string }); ok {
			routes = append(routes, lister.Routes()...)
		} else if h != nil {
			routes = append(routes, "ANY "+path)
		}
	}
	slices.Sort(routes)
	return slices.Compact(routes)
}

// Serve answers on the listener until ctx ends, then lets requests finish: streams and those who wait for work at once, others within ten seconds.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	srv := &http.Server{
		Handler: s.echo, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	srv.RegisterOnShutdown(s.stop)
	if s.Stopping != nil {
		srv.RegisterOnShutdown(s.Stopping)
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := srv.Shutdown(patience); err != nil {
		return errors.Join(s.cut(err), srv.Close())
	}
	return nil
}

// cut says which requests were not answered in time, by method and path.
func (s *Server) cut(err error) error {
	var left []string
	s.running.Range(func(_, what any) bool { left = append(left, what.(string)); return true })
	if len(left) == 0 {
		return err
	}
	slices.Sort(left)
	return fault.Timeout.Wrap(err, "%d requests were still being answered ten seconds after the stop and were cut off: %s. What the market had accepted goes on when it starts again.",
		len(left), strings.Join(left[:min(len(left), 5)], ", "))
}
