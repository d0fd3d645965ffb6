package osb

import (
	"log/slog"
	"net/http"
	"time"

	"code.cloudfoundry.org/lager/v3"
	"github.com/pivotal-cf/brokerapi/v10"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity/directory"
)

// Config is what the protocol stands on.
type Config struct {
	Broker    *broker.Broker
	Directory *directory.Directory
	Log       *slog.Logger
	SyncWait  time.Duration // how long a request waits for fast work before it says 202; 0 means 2 s
}

// patient is how long a request waits that must be answered at once although its work is not done: platforms give up after 60 s.
const patient = 50 * time.Second

// Handler serves /v2/*. It authenticates by itself, answers JSON to everything, and is safe for concurrent use.
func Handler(c Config) http.Handler {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.SyncWait == 0 {
		c.SyncWait = 2 * time.Second
	}
	logger := lager.NewLogger("osb")
	logger.RegisterSink(sink{c.Log})
	s := &server{c}
	return &door{Config: c, inner: brokerapi.NewWithOptions(s, logger), limit: newLimit()}
}

// Router gives the router behind the door that Handler made, for tests that walk every route; nil for another handler.
func Router(h http.Handler) http.Handler {
	d, ok := h.(*door)
	if !ok {
		return nil
	}
	return d.inner
}

// server is brokerapi's view of the market: one method a route, each in the file of its noun and verb.
type server struct{ Config }
