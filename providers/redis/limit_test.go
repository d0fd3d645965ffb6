package redis_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers/providertest"
)

func TestLimitsAreHeld(t *testing.T) {
	h := own(t)
	i, credentials, a, b := instance(t, h, "ins_limits")
	ctx := t.Context()
	var err error
	for n := 0; err == nil && n < 100; n++ {
		err = a.Put(ctx, strconv.Itoa(n), strings.Repeat("x", 1<<20))
	}
	if err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Errorf("100 MiB went into 32: %v", err)
	}
	var open []providertest.Session
	defer func() {
		for _, s := range open {
			s.Close()
		}
	}()
	for err = nil; err == nil && len(open) < 100; {
		var s providertest.Session
		if s, err = login(ctx, credentials); err == nil {
			open = append(open, s)
		}
	}
	if limit := int(h.Plan.Limits["connections"]) + 8; err == nil || len(open) > limit {
		t.Errorf("%d connections were let in: %v", len(open), err)
	}
	in, err := h.Provider.Inspect(ctx, i)
	if err != nil || in.Sessions[b.ID] != len(open)+1 {
		t.Errorf("%d sessions, Inspect says %v: %v", len(open)+1, in, err)
	}
	later, err := h.Reopen(ctx) // a new process of the market finds the server full
	if err != nil {
		t.Fatal(err)
	}
	if _, err := later.Unbind(ctx, i, b); err != nil {
		t.Errorf("an app that takes all connections cannot be unbound: %v", err)
	}
	if s, err := login(ctx, credentials); err == nil {
		s.Close()
		t.Error("it logs in after Unbind")
	}
}

func TestEndlessScriptKeepsNobodyIn(t *testing.T) {
	h := own(t)
	for what, script := range map[string]string{"reads": "while true do end", "writes": "redis.call('SET','a','b') while true do end"} {
		i, credentials, a, b := instance(t, h, "ins_"+what)
		if err := a.Put(t.Context(), "kept", "yes"); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- a.Do(context.WithoutCancel(t.Context()), "EVAL", script, "0").Err() }()
		for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); { // until the script is what the server does
			s, err := login(t.Context(), credentials)
			if err != nil {
				break
			}
			s.Close()
		}
		var err error
		for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); { // asked again, as the broker does
			if _, err = h.Provider.Unbind(t.Context(), i, b); err == nil {
				break
			}
		}
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		<-ended
		if s, err := login(t.Context(), credentials); err == nil {
			s.Close()
			t.Errorf("%s: it logs in after Unbind", what)
		}
	}
}

func TestUpdateCountsAtOnceAndRefusesWhatDoesNotFit(t *testing.T) {
	h := own(t)
	i, _, a, _ := instance(t, h, "ins_update")
	next := i
	next.Plan = h.Other
	if _, err := h.Provider.Update(t.Context(), i, next); err != nil {
		t.Fatal(err)
	}
	for n := range 40 {
		if err := a.Put(t.Context(), strconv.Itoa(n), strings.Repeat("x", 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.Provider.Update(t.Context(), next, i); err == nil {
		t.Error("40 MiB were put into a plan of 32")
	}
	if err := a.Put(t.Context(), "more", strings.Repeat("x", 1<<20)); err != nil {
		t.Errorf("a refused update changed the plan: %v", err)
	}
}
