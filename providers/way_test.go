package providers

import (
	"context"
	"errors"
	"testing"
)

func TestWayFollowsTheAddress(t *testing.T) {
	var missing, refused error
	address, opened, shut := "first", 0, make(chan string, 3)
	w := NewWay(func() (string, error) { return address, missing },
		func(_ context.Context, address string) (string, error) { opened++; return address, refused },
		func(s string) { shut <- s })
	expect := func(want string, times int) {
		t.Helper()
		if got, err := w.Take(t.Context()); err != nil || got != want || opened != times {
			t.Errorf("%q opened %d times, want %q opened %d times: %v", got, opened, want, times, err)
		}
	}
	missing = errors.New("starting")
	if _, err := w.Take(t.Context()); !errors.Is(err, missing) || opened > 0 {
		t.Errorf("without an address: %v", err)
	}
	missing = nil
	expect("first", 1)
	expect("first", 1)
	address, refused = "second", errors.New("refused")
	if _, err := w.Take(t.Context()); !errors.Is(err, refused) {
		t.Errorf("got %v", err)
	}
	if address = "first"; len(shut) > 0 {
		t.Error("what worked was shut before another one did")
	}
	expect("first", 2)
	address, refused = "second", nil
	expect("second", 3)
	if s := <-shut; s != "first" {
		t.Errorf("shut %q", s)
	}
	w.Close()
	if s := <-shut; s != "second" {
		t.Errorf("shut %q", s)
	}
	w.Close()
	expect("second", 4)
}

func TestWaitingForAWayCanBeGivenUp(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	w := NewWay(func() (string, error) { return "x", nil }, func(context.Context, string) (int, error) {
		close(entered)
		<-leave
		return 1, nil
	}, func(int) {})
	done := make(chan error, 1)
	go func() { _, err := w.Take(t.Context()); done <- err }()
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Error(err)
	}
}
