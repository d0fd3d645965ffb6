package providers

import (
	"context"
	"errors"
	"sync"
	"testing"
)

func TestTurnsAreTakenOneByOne(t *testing.T) {
	var turns Turns
	var wg sync.WaitGroup
	inside, most := 0, 0
	for range 50 {
		wg.Go(func() {
			done, err := turns.Take(t.Context(), "a")
			if err != nil {
				t.Error(err)
				return
			}
			inside++
			most = max(most, inside)
			inside--
			done()
		})
	}
	wg.Wait()
	if most != 1 || len(turns.held) != 0 {
		t.Errorf("%d at once, %d kept", most, len(turns.held))
	}
}

func TestTurnsOfOthersDoNotWaitAndWaitersMayLeave(t *testing.T) {
	var turns Turns
	done, err := turns.Take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	other, err := turns.Take(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	other()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := turns.Take(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	done()
	again, err := turns.Take(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	again()
}
