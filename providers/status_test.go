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

func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &probed{}
		d.do = always(errors.New("boom"))
		away := error(fault.Unavailable.Errorf("The server is still starting."))
		d.answer.Store(&away)
		p := providers.New(providers.Settings{Name: "p"}, d, nil)
		ctx, cancel := context.WithCancel(t.Context())
		set := providers.NewSet(p)
		go set.Watch(ctx)
		want := func(s providers.Status, why string) {
			t.Helper()
			synctest.Wait()
			if p.Status() != s || p.Why() != why {
				t.Fatalf("%s (%s), want %s (%s)", p.Status(), p.Why(), s, why)
			}
		}
		want(providers.Starting, away.Error())
		for n := range 8 { // opens the breaker
			_, _ = p.Provision(t.Context(), providers.Instance{ID: fmt.Sprint(n)})
		}
		d.answer.Store(nil)
		time.Sleep(60 * time.Millisecond)
		want(providers.Up, "")
		d.do = always(nil)
		if _, err := p.Provision(t.Context(), providers.Instance{}); err != nil {
			t.Fatalf("failures while it started hold back when it is up: %v", err)
		}
		d.answer.Store(&away)
		time.Sleep(3100 * time.Millisecond)
		want(providers.Down, away.Error())
		d.answer.Store(nil)
		time.Sleep(600 * time.Millisecond)
		want(providers.Up, "")
		p.Cordon("moving house")
		want(providers.Cordoned, "moving house")
		p.Uncordon()
		want(providers.Up, "")
		cancel()
	})
}

// A wrong password is no reason to ask many times a second: servers lock accounts for it. A server that is not there yet is asked often, for a while.
func TestWatchAsksRarelyWhereItIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		no          error
		in10s, hour [2]int32 // how many probes come, between
	}{
		"refused":      {fault.ProviderFailed.Errorf("The password is wrong."), [2]int32{7, 9}, [2]int32{60, 75}},
		"not there":    {fault.Unavailable.Errorf("The server is not there."), [2]int32{100, 115}, [2]int32{7000, 7400}},
		"of no class":  {errors.New("28P01"), [2]int32{7, 9}, [2]int32{60, 75}},
		"no such user": {fault.Refused.Errorf("There is no such user."), [2]int32{7, 9}, [2]int32{60, 75}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := &probed{}
				d.answer.Store(&c.no)
				p := providers.New(providers.Settings{Name: "p"}, d, nil)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go p.Watch(ctx)
				time.Sleep(10 * time.Second)
				synctest.Wait()
				if n := d.probes.Load(); n < c.in10s[0] || n > c.in10s[1] {
					t.Errorf("%d probes in 10 s", n)
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if n := d.probes.Load(); n < c.hour[0] || n > c.hour[1] {
					t.Errorf("%d probes in an hour", n)
				}
				d.answer.Store(nil)
				time.Sleep(time.Minute + time.Second)
				synctest.Wait()
				if p.Status() != providers.Up {
					t.Error("it is not found to be well again", p.Why())
				}
			})
		})
	}
}
