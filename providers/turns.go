package providers

import (
	"context"
	"sync"
)

// Turns lets calls about one thing take turns within this process, for drivers whose backend has no lock to offer. The zero value is
// ready. What two processes do at once must still end well: it is for the order of steps, not for what is right.
type Turns struct {
	mu   sync.Mutex
	held map[string]*turn
}

type turn struct {
	free  chan struct{} // holds one token while nobody has the turn
	users int           // who has it or waits for it
}

// Take waits for the turn of id and gives the function that ends it; an error when ctx ended first.
func (t *Turns) Take(ctx context.Context, id string) (done func(), err error) {
	one := t.join(id)
	select {
	case <-one.free:
		return func() {
			one.free <- struct{}{}
			t.leave(id, one)
		}, nil
	case <-ctx.Done():
		t.leave(id, one)
		return nil, ctx.Err()
	}
}

func (t *Turns) join(id string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.held == nil {
		t.held = map[string]*turn{}
	}
	one := t.held[id]
	if one == nil {
		one = &turn{free: make(chan struct{}, 1)}
		one.free <- struct{}{}
		t.held[id] = one
	}
	one.users++
	return one
}

func (t *Turns) leave(id string, one *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(t.held, id)
	}
}
