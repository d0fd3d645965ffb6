package providers

import (
	"cmp"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

// Settings describe one configured provider. The zero durations and counts stand for the defaults named here.
type Settings struct {
	Name     string
	Region   string
	Driver   string                                           // the driver's name, for people
	Deadline time.Duration                                    // for each call of the driver; 30 s
	Pause    time.Duration                                    // how long the breaker stays open before it lets one call try; 5 s
	Failures uint32                                           // failures in a row that open the breaker; 5
	Every    time.Duration                                    // between probes of a backend that is up; 3 s
	Copying  time.Duration                                    // for a whole backup or restore; 6 h
	Node     string                                           // whose process alone calls the driver: the backend is on its machine; "": any
	Away     bool                                             // Node is another process than this one: the driver tells what is offered and can be done, and is never called
	Called   func(verb string, took time.Duration, err error) // told of every call, for those who count; may be nil
}

func (s Settings) withDefaults() Settings {
	s.Deadline = cmp.Or(s.Deadline, 30*time.Second)
	s.Pause = cmp.Or(s.Pause, 5*time.Second)
	s.Failures = cmp.Or(s.Failures, 5)
	s.Every = cmp.Or(s.Every, 3*time.Second)
	s.Copying = cmp.Or(s.Copying, 6*time.Hour)
	return s
}

// Provider is a configured seller of backends: a Driver behind a deadline per call, a breaker, classed errors and a log.
// Capabilities are asserted here and nowhere else: a verb whose capability is missing gives fault.Unprocessable.
// It is safe for use by many goroutines.
type Provider struct {
	Settings
	driver Driver
	log    *slog.Logger
	told   bool // that it does not answer its first probes

	mu       sync.Mutex
	breaker  *gobreaker.CircuitBreaker[any]
	status   Status
	why      string
	cordoned string          // the reason; empty: not cordoned
	silent   int             // probes in a row that no server answered
	refused  int             // probes in a row that a server answered with a refusal
	unclear  map[string]bool // the instances whose calls failed for a reason that may be their own, since the last success
	back     chan struct{}
}

// New wraps driver. One that cannot be probed is Up from the start; any other is Starting until Probe or Watch had its first answer.
func New(settings Settings, driver Driver, log *slog.Logger) *Provider {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	p := &Provider{Settings: settings.withDefaults(), driver: driver, status: Up, back: make(chan struct{}, 1), unclear: map[string]bool{}}
	p.log = log.With("provider", p.Name)
	p.breaker = p.closedBreaker()
	if p.Away {
		p.status, p.why = Starting, fmt.Sprintf("Its node %s has not reported yet.", p.Node)
	} else if p.Can(Probes) {
		p.status, p.why = Starting, fmt.Sprintf("%s has not answered for the first time yet.", p.Name)
	}
	return p
}

func (p *Provider) closedBreaker() *gobreaker.CircuitBreaker[any] {
	return gobreaker.NewCircuitBreaker[any](gobreaker.Settings{
		Name:         p.Name,
		Timeout:      p.Pause,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= p.Failures },
		IsSuccessful: func(err error) bool { return !counts(err) },
		IsExcluded:   excluded,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			p.log.Warn("breaker", "from", from.String(), "to", to.String())
		},
	})
}
