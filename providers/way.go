package providers

import "context"

// Way keeps what a driver has opened to its administrator's address, connections mostly: opened at the first use, and anew when the address is
// another one. It is safe for use by many goroutines; whoever waits can give up.
type Way[S any] struct {
	address func() (string, error)
	open    func(ctx context.Context, address string) (S, error)
	shut    func(S) // may wait for calls that still use it

	turn chan struct{} // held while a way is opened or shut
	at   string
	now  S
	is   bool // now is one
}

// NewWay opens nothing yet. address gives an error while there is none; its errors and those of open are the caller's.
func NewWay[S any](address func() (string, error), open func(ctx context.Context, address string) (S, error), shut func(S)) *Way[S] {
	return &Way[S]{address: address, open: open, shut: shut, turn: make(chan struct{}, 1)}
}

// Take gives what is open.
func (w *Way[S]) Take(ctx context.Context) (none S, err error) {
	address, err := w.address()
	if err != nil {
		return none, err
	}
	select {
	case w.turn <- struct{}{}:
		defer func() { <-w.turn }()
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if w.is && w.at == address {
		return w.now, nil
	}
	next, err := w.open(ctx, address)
	if err != nil {
		return none, err
	}
	if w.is {
		go w.shut(w.now)
	}
	w.at, w.now, w.is = address, next, true
	return next, nil
}

// Close shuts what is open. A later Take opens it again.
func (w *Way[S]) Close() {
	w.turn <- struct{}{}
	defer func() { <-w.turn }()
	if w.is {
		w.shut(w.now)
	}
	var none S
	w.at, w.now, w.is = "", none, false
}
