package osb_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/identity"
)

// modelMarket is a market whose slow work goes on only when the test says so.
type modelMarket struct {
	*market
	runs  int
	trail []string // the requests of the latest run

	mu   sync.Mutex
	held map[place]chan struct{} // closed when the work there may go on; the platform by its id with us
}

func newModelMarket(t *testing.T) *modelMarket {
	t.Helper()
	m := &modelMarket{market: newMarketWaiting(t, 20*time.Second), held: map[place]chan struct{}{}}
	m.driver.OnStep(func(_, id, when string) {
		if when == "before" {
			m.wait(id)
		}
	})
	t.Cleanup(m.release)
	return m
}

// wait holds a driver's call up as long as its instance's work is held.
func (m *modelMarket) wait(id string) {
	market := identity.Principal{Kind: identity.System}
	if bd, err := m.broker.Binding(context.Background(), market, id); err == nil {
		id = bd.Instance
	}
	i, err := m.broker.Instance(context.Background(), market, "", id)
	if err != nil {
		return // offerings and the like belong to none
	}
	m.mu.Lock()
	gate := m.held[place{i.Platform, i.PlatformInstance}]
	m.mu.Unlock()
	if gate != nil {
		<-gate
	}
}

func (m *modelMarket) hold(at place) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held[at] == nil {
		m.held[at] = make(chan struct{})
	}
}

func (m *modelMarket) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for at, gate := range m.held {
		close(gate)
		delete(m.held, at)
	}
}
