package providertest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/providers"
)

func excessTold(ctx context.Context, h Harness) error {
	switch {
	case !h.Provider.Can(providers.Watches):
		return NotOffered("the driver watches no limit")
	case h.Overfill == nil:
		return NotOffered("there is no way here to pass a limit")
	}
	if h.Tight.Name != "" {
		h.Plan = h.Tight
	}
	return h.with(ctx, func(t *tenant) error {
		_, _, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Put(ctx, "little", "x"); err != nil {
			return err
		}
		if list, err := h.Provider.Excess(ctx, t.Instance); err != nil || len(list) > 0 {
			return errs("an instance within its plan is said to be beyond it: %+v, %v", list, err)
		}
		if err := h.Overfill(ctx, t.Instance, s); err != nil {
			return err
		}
		list, err := t.excess(ctx)
		if err != nil {
			return err
		}
		for _, e := range list {
			if limit, known := t.Plan.Limits[e.Limit]; !known || e.Allowed != limit || e.Used <= e.Allowed {
				return errs("told of %+v, and the plan's limit is %d", e, limit)
			}
		}
		return nil
	})
}

// excess asks until a limit is told of: some servers count their messages and bytes every few seconds only.
func (t *tenant) excess(ctx context.Context) ([]providers.Excess, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		list, err := t.h.Provider.Excess(ctx, t.Instance)
		switch {
		case len(list) > 0 || err != nil && ctx.Err() == nil:
			return list, err
		case ctx.Err() != nil:
			return nil, errs("an instance beyond its plan is not told of")
		}
		pause := time.NewTimer(100 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
		}
	}
}

// Fill is an Overfill that writes so many bytes, in nine values that no backend can make smaller.
func Fill(bytes int) func(ctx context.Context, i providers.Instance, s Session) error {
	return func(ctx context.Context, _ providers.Instance, s Session) error {
		piece := make([]byte, bytes/16) // twice as much in letters
		for n := range 9 {
			_, _ = rand.Read(piece) // never fails
			if err := s.Put(ctx, fmt.Sprintf("fill%d", n), hex.EncodeToString(piece)); err != nil {
				return err
			}
		}
		return nil
	}
}

// Tightened is a plan with one limit changed, low enough to be passed in a moment.
func Tightened(p catalog.Plan, limit string, value int64) catalog.Plan {
	p.Limits = maps.Clone(p.Limits)
	p.Limits[limit] = value
	return p
}
