package fake

import (
	"context"
	"sync"

	"github.com/sutlerhq/sutler/internal/fault"
)

// control is how a test tells a fake to misbehave. Verbs are named provision, deprovision, bind, unbind, update, suspend, resume,
// read, inspect, watch, list, probe, target, offerings, backup, restore.
type control struct {
	cmu   sync.Mutex
	fails map[string]failure
	holds map[string]*Hold
	calls map[string]int
	hook  func(verb, id, when string)
}

type failure struct {
	left int // negative: always
	err  error
}

// FailNext makes the next n calls of a verb fail with err before they touch anything; a negative n means all until told otherwise, 0 none.
func (c *control) FailNext(verb string, n int, err error) {
	c.cmu.Lock()
	defer c.cmu.Unlock()
	if c.fails == nil {
		c.fails = map[string]failure{}
	}
	c.fails[verb] = failure{n, err}
}

// OnStep calls f at the start of each verb ("before") and after its effect ("after"): the place to kill the process in.
func (c *control) OnStep(f func(verb, id, when string)) {
	c.cmu.Lock()
	defer c.cmu.Unlock()
	c.hook = f
}

// Calls tells how often a verb was called.
func (c *control) Calls(verb string) int {
	c.cmu.Lock()
	defer c.cmu.Unlock()
	return c.calls[verb]
}

// Hold is a gate that calls of one verb wait at, before they touch anything.
type Hold struct {
	Entered  chan string // the id of each call that arrived; buffered
	released chan struct{}
	deaf     bool
	once     sync.Once
}

// Release lets all waiting and later calls go on.
func (h *Hold) Release() { h.once.Do(func() { close(h.released) }) }

// Hang makes calls of a verb wait until Release or until their context ends.
func (c *control) Hang(verb string) *Hold { return c.hold(verb, false) }

// Freeze makes calls of a verb wait until Release whatever becomes of their context, like a process that was stopped: they do
// their work late.
func (c *control) Freeze(verb string) *Hold { return c.hold(verb, true) }

func (c *control) hold(verb string, deaf bool) *Hold {
	c.cmu.Lock()
	defer c.cmu.Unlock()
	if c.holds == nil {
		c.holds = map[string]*Hold{}
	}
	h := &Hold{Entered: make(chan string, 64), released: make(chan struct{}), deaf: deaf}
	c.holds[verb] = h
	return h
}

func (h *Hold) wait(ctx context.Context, id string) error {
	select {
	case h.Entered <- id:
	default: // nobody counts any more
	}
	end := ctx.Done()
	if h.deaf {
		end = nil
	}
	select {
	case <-h.released:
		return nil
	case <-end:
		return ctx.Err()
	}
}

// enter is the first thing each verb does: it counts, waits and fails as told.
func (c *control) enter(ctx context.Context, verb, id string) error {
	c.cmu.Lock()
	if c.calls == nil {
		c.calls = map[string]int{}
	}
	c.calls[verb]++
	hold, hook := c.holds[verb], c.hook
	f := c.fails[verb]
	if f.left != 0 {
		c.fails[verb] = failure{f.left - 1, f.err}
	}
	c.cmu.Unlock()
	if hook != nil {
		hook(verb, id, "before")
	}
	if hold != nil {
		if err := hold.wait(ctx, id); err != nil {
			return err
		}
	}
	if f.left == 0 {
		return nil
	}
	if f.err == nil {
		return fault.Unavailable.Errorf("The fake was told to fail at %s.", verb)
	}
	return f.err
}

func (c *control) step(verb, id string) {
	c.cmu.Lock()
	hook := c.hook
	c.cmu.Unlock()
	if hook != nil {
		hook(verb, id, "after")
	}
}
