package broker

import "sync"

// hub wakes those in this process who wait for an operation or watch a project. Its zero value is ready.
type hub struct {
	mu       sync.Mutex
	waiters  map[string]*waiter                  // by operation
	watchers map[string]map[chan Change]struct{} // by project
}

// waiter is shared by n who wait; its channel is closed when the operation ends.
type waiter struct {
	end chan struct{}
	n   int
}

// wait gives a channel that is closed when the operation ends. Whoever waits calls release afterwards.
func (h *hub) wait(operation string) (end <-chan struct{}, release func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.waiters == nil {
		h.waiters = map[string]*waiter{}
	}
	w, ok := h.waiters[operation]
	if !ok {
		w = &waiter{end: make(chan struct{})}
		h.waiters[operation] = w
	}
	w.n++
	return w.end, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if w.n--; w.n == 0 && h.waiters[operation] == w {
			delete(h.waiters, operation)
		}
	}
}

func (h *hub) ended(operation string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if w, ok := h.waiters[operation]; ok {
		close(w.end)
		delete(h.waiters, operation)
	}
}

func (h *hub) watch(project string) (c chan Change, stop func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watchers == nil {
		h.watchers = map[string]map[chan Change]struct{}{}
	}
	if h.watchers[project] == nil {
		h.watchers[project] = map[chan Change]struct{}{}
	}
	c = make(chan Change, 64)
	h.watchers[project][c] = struct{}{}
	return c, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.watchers[project], c)
		close(c)
	}
}

// tell never blocks: whoever does not keep up loses changes.
func (h *hub) tell(c Change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for w := range h.watchers[c.Project] {
		select {
		case w <- c:
		default:
		}
	}
}
