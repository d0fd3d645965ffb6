package broker

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

const (
	kindWatch  = "watch"
	watchEvery = time.Minute
)

// watch asks the provider which of its instances have passed a limit that the backend itself does not hold. It is one task a provider,
// so that a slow one holds up nobody else's.
func (b *Broker) watch(ctx context.Context, t tour) error {
	return b.goRound(ctx, t, roundPlan{
		kind: kindWatch, can: providers.Watches, every: watchEvery, within: watchEvery / 2,
		look: func(ctx context.Context, p *providers.Provider, r instanceRow) error {
			if r.State != Ready && r.State != Suspended {
				return nil
			}
			return b.measure(ctx, p, r)
		},
	})
}

// measure asks for one instance and acts on what has changed: a notice the first time, a suspension after the grace, an end of both when it
// is back within its plan. It never touches data.
func (b *Broker) measure(ctx context.Context, p *providers.Provider, r instanceRow) error {
	_, plan, err := b.Plan(ctx, r.PlanID)
	if err != nil {
		return err
	}
	told, err := b.told(ctx, r, plan)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	var over []providers.Excess
	err = b.ask(asking, func(ctx context.Context) (err error) { over, err = p.Excess(ctx, told); return err })
	if err != nil || len(over) == 0 && r.Excess == "" {
		return err
	}
	return b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		now, err := b.take(ctx, r.ID)
		if err != nil || now.Rev != r.Rev+1 || now.State != r.State {
			return err // it changed while it was looked at: the next round sees
		}
		if err := b.judge(ctx, p, &now, over); err != nil {
			return err
		}
		b.changed(ctx, now, bindingRow{})
		return b.saveInstance(ctx, now)
	})
}

func (b *Broker) judge(ctx context.Context, p *providers.Provider, r *instanceRow, over []providers.Excess) error {
	if len(over) == 0 {
		r.Excess, r.ExcessDue = "", 0
		if err := b.recordLimit(ctx, *r, "instance.within_limits", nil); err != nil {
			return err
		}
		_, err := b.letBack(ctx, itself, r, ByLimit)
		return err
	}
	first := r.Excess == ""
	text, err := json.Marshal(over)
	if err != nil {
		return err
	}
	r.Excess = string(text)
	if first {
		if err := b.recordLimit(ctx, *r, "instance.over_limit", over); err != nil {
			return err
		}
	}
	at := b.Clock.Now()
	switch {
	case allHeld(over) || !p.Can(providers.Suspends):
		r.ExcessDue = 0
		_, err = b.letBack(ctx, itself, r, ByLimit)
	case r.ExcessDue == 0:
		r.ExcessDue = at.Add(b.WatchGrace).UnixMicro()
	case at.UnixMicro() >= r.ExcessDue:
		err = b.holdBack(ctx, itself, r, ByLimit, figures(over))
	}
	return err
}

func allHeld(over []providers.Excess) bool {
	for _, x := range over {
		if !x.Held {
			return false
		}
	}
	return true
}

func (b *Broker) recordLimit(ctx context.Context, r instanceRow, action string, over []providers.Excess) error {
	detail := map[string]string{"name": r.Name, "plan": r.Plan}
	if len(over) > 0 {
		detail["limits"] = figures(over)
	}
	return b.record(ctx, itself, identity.Scope{Org: r.Org, Project: r.Project}, action, "instance/"+r.ID, detail)
}
