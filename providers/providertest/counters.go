package providertest

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/providers"
)

// countersReset, countersRestart and countersReopen: what was used before the backend's counters were thrown away, its server started again, or the
// market's process ended, is not told twice, and what is used afterwards is told.
func countersReset(ctx context.Context, h Harness) error {
	return h.countOver(ctx, "the counters were reset", h.Reset)
}

func countersRestart(ctx context.Context, h Harness) error {
	return h.countOver(ctx, "the server was started again", h.Restart)
}

func countersReopen(ctx context.Context, h Harness) error {
	if h.Reopen == nil {
		return h.countOver(ctx, "", nil)
	}
	return h.with(ctx, func(t *tenant) error {
		return t.countsOn(ctx, "the market was started again", func(ctx context.Context, _ providers.Instance) (err error) {
			t.h.Provider, err = h.Reopen(ctx)
			return err
		})
	})
}

func (h Harness) countOver(ctx context.Context, when string, happen func(context.Context, providers.Instance) error) error {
	if happen == nil {
		return NotOffered("nothing here can let that happen to the backend")
	}
	return h.with(ctx, func(t *tenant) error { return t.countsOn(ctx, when, happen) })
}

// muchUse is how often the instance is used first, so that a window that tells it again cannot be taken for the few things that happen by themselves.
const muchUse = 60

// countsOn uses an instance, lets something happen to what counts, and looks at the windows between the readings as the broker does.
func (t *tenant) countsOn(ctx context.Context, when string, happen func(context.Context, providers.Instance) error) error {
	if !t.h.Provider.Can(providers.Meters) {
		return NotOffered("the driver reads no usage")
	}
	_, credentials, s, err := t.bound(ctx)
	if err != nil {
		return err
	}
	fresh, err := t.counters(ctx)
	if err != nil {
		s.Close()
		return err
	}
	if len(fresh) == 0 {
		s.Close()
		return NotOffered("the driver has levels alone, and no counter")
	}
	if err := t.use(ctx, s, muchUse); err != nil {
		s.Close()
		return err
	}
	before, err := t.settled(ctx, fresh)
	s.Close()
	if err == nil {
		before, err = t.quiet(ctx, before)
	}
	if err != nil {
		return err
	}
	if err := happen(ctx, t.Instance); err != nil {
		return err
	}
	after, err := t.counters(ctx)
	if err != nil {
		return err
	}
	for name, window := range windows(before, after) {
		used, err := before[name].Value.Sub(fresh[name].Value)
		if err != nil {
			return err
		}
		if used.Cmp(money.FromInt(muchUse/2)) > 0 && window.Add(window).Cmp(used.Ratio()) > 0 {
			return errs("after %s %s tells what had been told before: %s of %s once more", when, name, window.Text(0, 0), used)
		}
	}
	if s, err = t.h.Login(ctx, credentials); err != nil {
		return errs("the login does not work after %s: %w", when, err)
	}
	defer s.Close()
	if err := t.use(ctx, s, muchUse); err != nil {
		return err
	}
	if _, err := t.settled(ctx, after); err != nil {
		return errs("after %s: %w", when, err)
	}
	return nil
}

func (t *tenant) use(ctx context.Context, s Session, n int) error {
	if t.h.Use != nil {
		return t.h.Use(ctx, t.Instance, n)
	}
	for range n {
		if err := s.Put(ctx, "used", "once more"); err != nil {
			return err
		}
	}
	return nil
}

// settled reads until every counter has gone on since a former reading, half of muchUse at least for one of them, as servers tell late what
// was done. It gives the last readings.
func (t *tenant) settled(ctx context.Context, since map[string]providers.Reading) (map[string]providers.Reading, error) {
	for late := time.Now().Add(30 * time.Second); ; {
		now, err := t.counters(ctx)
		if err != nil {
			return nil, err
		}
		most := money.Ratio{}
		for _, w := range windows(since, now) {
			if w.Sign() < 0 {
				return nil, errs("a window is negative")
			}
			if w.Cmp(most) > 0 {
				most = w
			}
		}
		if len(now) == 0 || most.Cmp(money.Whole(muchUse/2)) > 0 {
			return now, nil
		}
		if time.Now().After(late) {
			return nil, errs("the instance was used %d times, and no counter tells", muchUse)
		}
		pause := time.NewTimer(50 * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// quiet reads until no counter has gone on for as long as the backend may be late to tell.
func (t *tenant) quiet(ctx context.Context, last map[string]providers.Reading) (map[string]providers.Reading, error) {
	for since := time.Now(); time.Since(since) < t.h.Lag; {
		pause := time.NewTimer(50 * time.Millisecond)
		<-pause.C
		now, err := t.counters(ctx)
		if err != nil {
			return nil, err
		}
		for name, w := range windows(last, now) {
			if w.Sign() != 0 || now[name].Epoch != last[name].Epoch {
				since = time.Now()
			}
		}
		last = now
	}
	return last, nil
}

// counters reads until the provider answers: after a restart it may have to connect again.
func (t *tenant) counters(ctx context.Context) (map[string]providers.Reading, error) {
	for late := time.Now().Add(30 * time.Second); ; {
		list, err := t.h.Provider.Read(ctx, t.Instance)
		if err != nil && passes(err) && time.Now().Before(late) && ctx.Err() == nil {
			pause := time.NewTimer(50 * time.Millisecond)
			<-pause.C
			continue
		}
		of := map[string]providers.Reading{}
		for _, r := range list {
			if r.Type == "counter" {
				of[r.Metric+"@"+r.Source] = r
			}
		}
		return of, err
	}
}

// windows is how far counters went between two readings: a new epoch counts from zero, one that went back in the same epoch counts nothing.
func windows(before, after map[string]providers.Reading) map[string]money.Ratio {
	out := map[string]money.Ratio{}
	for name, now := range after {
		was, known := before[name]
		switch {
		case !known || was.Epoch != now.Epoch:
			out[name] = now.Value.Ratio()
		case now.Value.Cmp(was.Value) > 0:
			out[name] = now.Value.Ratio().Sub(was.Value.Ratio())
		default:
			out[name] = money.Ratio{}
		}
	}
	return out
}
