package providertest

import (
	"context"
	"errors"
	"slices"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

func readingsSound(ctx context.Context, h Harness) error {
	if !h.Provider.Can(providers.Meters) {
		return NotOffered("the driver reads no usage")
	}
	return h.with(ctx, func(t *tenant) error {
		_, _, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		last := map[string]providers.Reading{}
		for range 3 {
			list, err := h.Provider.Read(ctx, t.Instance)
			if err != nil {
				return err
			}
			for _, r := range list {
				if err := sound(r, last[r.Metric+"@"+r.Source], h.Plan); err != nil {
					return err
				}
				last[r.Metric+"@"+r.Source] = r
			}
			if len(list) != len(last) {
				return errs("Read shows %d metrics now and another number before, or one twice", len(list))
			}
			if err := s.Put(ctx, "used", "once more"); err != nil {
				return err
			}
		}
		return nil
	})
}

func sound(r, before providers.Reading, plan catalog.Plan) error {
	known := slices.ContainsFunc(plan.Metrics, func(m catalog.Metric) bool { return m.Name == r.Metric })
	switch {
	case !known:
		return errs("the plan has no metric %q", r.Metric)
	case r.Value.Sign() < 0:
		return errs("%s is negative: %s", r.Metric, r.Value)
	case r.Type != "gauge" && r.Type != "counter":
		return errs("%s is neither gauge nor counter: %q", r.Metric, r.Type)
	case r.Type == "counter" && r.Epoch == "":
		return errs("the counter %s has no epoch", r.Metric)
	case r.Type == "counter" && before.Metric != "" && r.Epoch != before.Epoch:
		return errs("the counter %s began a new epoch without a reason", r.Metric)
	case r.Type == "counter" && before.Metric != "" && r.Value.Cmp(before.Value) < 0:
		return errs("the counter %s ran backwards in one epoch: %s after %s", r.Metric, r.Value, before.Value)
	}
	return nil
}

func suspendKeeps(ctx context.Context, h Harness) error {
	if !h.Provider.Can(providers.Suspends) {
		return NotOffered("the driver suspends nothing")
	}
	return h.with(ctx, func(t *tenant) error {
		_, credentials, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Put(ctx, "kept", "yes"); err != nil {
			return err
		}
		if err := errors.Join(t.suspend(ctx), t.suspend(ctx)); err != nil {
			return err
		}
		if err := errors.Join(dies(ctx, s), h.refused(ctx, credentials, "while the instance is suspended")); err != nil {
			return err
		}
		if err := errors.Join(t.resume(ctx), t.resume(ctx)); err != nil {
			return err
		}
		back, err := h.Login(ctx, credentials)
		if err != nil {
			return errs("the login does not work after Resume: %w", err)
		}
		defer back.Close()
		if got, err := back.Get(ctx, "kept"); err != nil || got != "yes" {
			return errs("the data did not outlive a suspension: %q, %v", got, err)
		}
		return nil
	})
}

func updateKeeps(ctx context.Context, h Harness) error {
	if !h.Provider.Can(providers.Updates) || h.Other.Name == "" {
		return NotOffered("there is no plan to change to, or the driver changes none")
	}
	return h.with(ctx, func(t *tenant) error {
		b, credentials, s, err := t.bound(ctx)
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Put(ctx, "kept", "yes"); err != nil {
			return err
		}
		for range 2 { // the same update twice
			next := t.Instance
			next.Plan = h.Other
			err := until(ctx, "update", &next.State, func() (providers.Progress, error) { return h.Provider.Update(ctx, t.Instance, next) })
			if err != nil {
				return err
			}
			t.State = next.State
		}
		t.Plan = h.Other
		again, err := h.Login(ctx, credentials)
		if err != nil {
			return errs("the login does not work after an update: %w", err)
		}
		defer again.Close()
		if got, err := again.Get(ctx, "kept"); err != nil || got != "yes" {
			return errs("the data did not outlive an update: %q, %v", got, err)
		}
		return t.unbind(ctx, b)
	})
}

func targetAnswers(ctx context.Context, h Harness) error {
	if !h.Provider.Can(providers.Targets) {
		return NotOffered("the driver names nothing to measure")
	}
	return h.with(ctx, func(t *tenant) error {
		target, err := h.Provider.Target(ctx, t.Instance)
		if err != nil {
			return err
		}
		_, err = latency.Measure(ctx, target)
		return err
	})
}
