package providers_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

func TestBreaker(t *testing.T) {
	for _, c := range []struct {
		err   error
		opens bool
	}{
		{errors.New("boom"), true},
		{fault.Unavailable.Errorf("away"), true},
		{context.DeadlineExceeded, true},
		{fault.Invalid.Errorf("bad"), false},
		{fault.Refused.Errorf("no"), false},
		{fault.NotFound.Errorf("none"), false},
		{fault.Conflict.Errorf("taken"), false},
		{fault.Busy.Errorf("in the way"), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := &scripted{do: always(c.err)}
			p := providers.New(providers.Settings{Name: "p"}, d, nil)
			for n := range 8 {
				_, _ = p.Provision(t.Context(), providers.Instance{ID: fmt.Sprint(n)})
			}
			if opened := d.calls.Load() == 5; opened != c.opens {
				t.Fatalf("%v: the driver was called %d times of 8", c.err, d.calls.Load())
			}
			if !c.opens {
				return
			}
			if _, err := p.Provision(t.Context(), providers.Instance{}); fault.KindOf(err) != fault.Unavailable {
				t.Fatalf("open: %v", err)
			}
			d.do = always(nil)
			time.Sleep(5*time.Second + time.Millisecond) // the bubble's clock: the pause is over
			if _, err := p.Provision(t.Context(), providers.Instance{}); err != nil {
				t.Fatalf("half open: %v", err)
			}
		})
	}
}

// TestOneInstanceDoesNotOpenTheBreaker: however often calls about one instance fail in a way that may be its own, the others are served; a provider
// that fails each of them so is left alone.
func TestOneInstanceDoesNotOpenTheBreaker(t *testing.T) {
	boom := always(errors.New("cannot read its state"))
	d := &scripted{do: boom}
	p := providers.New(providers.Settings{Name: "p"}, d, nil)
	for n := range 20 {
		_, _, _ = p.Bind(t.Context(), providers.Instance{ID: "ins_bad"}, providers.Binding{ID: fmt.Sprint(n)})
		if _, err := p.Provision(t.Context(), providers.Instance{ID: "ins_bad"}); fault.KindOf(err) != fault.ProviderFailed {
			t.Fatalf("try %d: %v", n, err)
		}
	}
	d.do = always(nil)
	if _, err := p.Provision(t.Context(), providers.Instance{ID: "ins_good"}); err != nil {
		t.Fatalf("another instance is refused: %v", err)
	}
	d.do = boom
	before := d.calls.Load()
	for n := range 8 {
		_, _ = p.Provision(t.Context(), providers.Instance{ID: fmt.Sprint(n)})
	}
	if n := d.calls.Load() - before; n != 5 {
		t.Errorf("a provider that fails all of them was called %d times of 8", n)
	}
}
