package broker

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/tasks"
	"github.com/sutlerhq/sutler/providers"
)

// tour is the task that goes round the instances of one provider, page by page, for ever.
type tour struct{ Provider string }

// How many instances a page holds, how many of them are asked about at once, and how soon a provider that is away is looked at again.
const (
	pageSize = 100
	abreast  = 4
	lookAway = 15 * time.Second
)

// roundPlan says what a round does.
type roundPlan struct {
	kind   string
	can    providers.Capability
	every  time.Duration // from one round's beginning to the next one's
	within time.Duration // how long a round is spread over, when there is much to see
	gone   bool          // those that went recently, too
	look   func(ctx context.Context, p *providers.Provider, r instanceRow) error
	end    func(ctx context.Context, p *providers.Provider, row *roundRow) error // may be nil
}

// startRounds makes sure that each provider has its tasks. A former process may have left them half way: they go on there.
func (b *Broker) startRounds(ctx context.Context) error {
	tasks.Handle(b.Tasks, kindReconcile, b.reconcile)
	tasks.Handle(b.Tasks, kindWatch, b.watch)
	return b.DB.Tx(ctx, func(ctx context.Context) error {
		for _, p := range b.Providers.All() {
			for kind, can := range map[string]providers.Capability{kindReconcile: providers.Inspects, kindWatch: providers.Watches} {
				if !p.Can(can) {
					continue
				}
				if err := b.Tasks.Enqueue(ctx, kind, kind+"/"+p.Name, tour{Provider: p.Name}, p.Node); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// goRound takes one page further. How far a round came is in the store, so it survives its process; a provider that does not answer makes it
// wait and is no difference.
func (b *Broker) goRound(ctx context.Context, t tour, plan roundPlan) error {
	p, ok := b.Providers.Get(t.Provider)
	if !ok || !p.Can(plan.can) {
		return nil // not configured any more: the task ends
	}
	if p.Away { // its node was not known when this was begun
		return b.DB.Tx(ctx, func(ctx context.Context) error {
			return b.Tasks.Enqueue(ctx, plan.kind, plan.kind+"/"+p.Name, t, p.Node)
		})
	}
	if !answers(p) {
		return tasks.Snooze(lookAway)
	}
	row, err := b.findRound(ctx, plan.kind, t.Provider)
	if err != nil {
		return err
	}
	if rest := row.BeganAt + plan.every.Microseconds() - wall(); row.EndedAt > 0 && rest > 0 {
		return tasks.Snooze(time.Duration(rest) * time.Microsecond)
	}
	if row.EndedAt > 0 || row.BeganAt == 0 {
		row.Reached, row.BeganAt, row.EndedAt = "", wall(), 0
	}
	last, err := b.lookAt(ctx, p, plan, &row)
	if away(err) && !answers(p) {
		return tasks.Snooze(lookAway)
	}
	if err != nil {
		return err
	}
	if last {
		if plan.end != nil {
			if err := plan.end(ctx, p, &row); err != nil && !away(err) {
				return err
			}
		}
		row.EndedAt = wall()
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := tasks.Hold(ctx); err != nil {
			return err
		}
		return b.saveRound(ctx, row)
	})
	if err != nil {
		return err
	}
	return b.pace(ctx, plan, row, last)
}

// pace spreads a round: many pages do not come at once.
func (b *Broker) pace(ctx context.Context, plan roundPlan, row roundRow, last bool) error {
	if last {
		return tasks.Snooze(time.Duration(max(0, row.BeganAt+plan.every.Microseconds()-wall())) * time.Microsecond)
	}
	n, err := b.countOf(ctx, row.Provider)
	if err != nil {
		return err
	}
	return tasks.Snooze(plan.within / time.Duration(n/pageSize+1))
}

// lookAt looks at the next page and tells whether it was the last. What fails for one instance alone is logged and looked at again in the next round.
func (b *Broker) lookAt(ctx context.Context, p *providers.Provider, plan roundPlan, row *roundRow) (last bool, err error) {
	page, err := b.pageOf(ctx, p.Name, row.Reached, b.goneSince(plan.gone), pageSize)
	if err != nil || len(page) == 0 {
		return true, err
	}
	for part := range slices.Chunk(page, abreast) { // nothing was said of a chunk that is cut short: it is looked at again
		errs := make([]error, len(part))
		var wg sync.WaitGroup
		for n, r := range part {
			wg.Go(func() { errs[n] = plan.look(ctx, p, r) })
		}
		wg.Wait()
		for n, err := range errs {
			if away(err) && !answers(p) || errors.Is(err, tasks.ErrFenced) || ctx.Err() != nil {
				return false, cmp.Or(err, ctx.Err())
			}
			if err != nil {
				b.Log.Warn(plan.kind, "provider", p.Name, "instance", part[n].ID, "err", err)
			}
		}
		row.Reached = part[len(part)-1].ID
		if !slices.ContainsFunc(errs, func(err error) bool { return !away(err) }) {
			return false, nil // none of them answered: let others have the worker before the next ones are asked
		}
	}
	return len(page) < pageSize, nil
}

// goneSince is from when on those that went are looked at, too; never, unless recent ones are wanted.
func (b *Broker) goneSince(recent bool) int64 {
	if !recent {
		return 1<<63 - 1
	}
	return b.Clock.Now().Add(-retention).UnixMicro()
}

func answers(p *providers.Provider) bool {
	s := p.Status()
	return s == providers.Up || s == providers.Cordoned
}

// away tells whether err may speak of the provider as a whole and not of the instance that was asked about.
func away(err error) bool {
	if err == nil {
		return false
	}
	k := fault.KindOf(err)
	return k == fault.Unavailable || k == fault.Timeout
}
