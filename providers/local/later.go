package local

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// again is the pause before a server that ended by itself is started again.
const again = time.Second

// Later is a server that starts in the background and is started again when it ends by itself.
type Later struct {
	name   string
	log    *slog.Logger
	cancel context.CancelFunc
	ended  chan struct{}

	mu     sync.Mutex
	server *Server
	err    error // why there is no server
}

// Background starts a server with start and returns at once. name is what people read while it is not there yet.
func Background(ctx context.Context, name string, log *slog.Logger, start func(ctx context.Context) (*Server, error)) *Later {
	ctx, cancel := context.WithCancel(ctx)
	l := &Later{name: name, log: log, cancel: cancel, ended: make(chan struct{})}
	l.set(nil, fault.Unavailable.Errorf("%s is still starting.", name))
	go l.keep(ctx, start)
	return l
}

func (l *Later) set(s *Server, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.server, l.err = s, err
}

// Server gives the running server, or fault.Unavailable while there is none, saying why.
func (l *Later) Server() (*Server, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.server, l.err
}

// Stop ends the server, or its start, and waits for it.
func (l *Later) Stop() {
	l.cancel()
	<-l.ended
}

func (l *Later) keep(ctx context.Context, start func(ctx context.Context) (*Server, error)) {
	defer close(l.ended)
	for ctx.Err() == nil {
		l.once(ctx, start)
		pause := time.NewTimer(again)
		select {
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
	l.set(nil, fault.Unavailable.Errorf("%s was stopped.", l.name))
}

// once is one life of the server, from its start to its end.
func (l *Later) once(ctx context.Context, start func(ctx context.Context) (*Server, error)) {
	began := time.Now()
	s, err := start(ctx)
	if err != nil {
		if ctx.Err() == nil {
			l.log.Error(l.name+" could not be started", "err", err, "again_in", again)
		}
		l.set(nil, fault.Unavailable.Wrap(err, "%s could not be started: %s", l.name, err).WithHint("It is tried again."))
		return
	}
	l.log.Info(l.name+" answers", "address", s.Address, "after", time.Since(began).Round(time.Millisecond))
	l.set(s, nil)
	select {
	case <-s.Dead:
		l.log.Error(l.name+" ended by itself", "log", s.Log, "again_in", again)
		l.set(nil, fault.Unavailable.Errorf("%s ended by itself and is started again; see %s.", l.name, s.Log))
	case <-ctx.Done():
		if err := s.Stop(); err != nil {
			l.log.Warn(l.name+" would not stop", "err", err)
		}
	}
}
