package billing

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
)

// together is of how many events a statement stores at most.
const together = 200

// batch is events that one transaction records. What several of them need is read once.
type batch struct {
	*Ledger
	now      time.Time
	provider string                   // who must sell the instances; "" is the market itself
	lives    map[string][]intervalRow // by instance
	accounts map[string]accountRow    // by id; each is locked
	prices   map[string][]priceRow    // by currency: of all plans that the instances ran under
	waiting  []eventRow               // found good, not stored yet
	stored   int
}

// record stores events in the caller's transaction and tells how many were new; a provider ("" for the market) must be the one that sells the instances.
func (l *Ledger) record(ctx context.Context, events []catalog.Event, provider string) (stored int, err error) {
	b := batch{Ledger: l, now: l.clock.Now(), provider: provider, accounts: map[string]accountRow{}, prices: map[string][]priceRow{}}
	if b.lives, err = l.lives(ctx, events); err != nil {
		return 0, err
	}
	for _, e := range events {
		if err := b.add(ctx, e); err != nil {
			return 0, err
		}
	}
	return b.stored, b.flush(ctx, nil)
}

// add checks an event and puts it to those that wait. One that is worth much is stored with them at once, and the month's charges are looked at.
func (b *batch) add(ctx context.Context, e catalog.Event) error {
	if err := checkEvent(e, b.now); err != nil {
		return err
	}
	had := b.lives[e.Instance]
	if len(had) == 0 || b.provider != "" && at(had, e.Time).Provider != b.provider {
		return noInstance(e.Instance)
	}
	if err := checkLife(e, had); err != nil {
		return err
	}
	// The market's own meters may show more than a plan charges for; what others report must be something the plan knows.
	if e.Source != readings || e.Sender != collector {
		if err := b.checkMetric(ctx, e, had); err != nil {
			return err
		}
	}
	account, err := b.payer(ctx, at(had, e.Time).Account)
	if err != nil {
		return err
	}
	row, err := eventOf(e, account, b.now)
	if err != nil {
		return err
	}
	b.waiting = append(b.waiting, row)
	dear, err := b.dear(ctx, row, account, had)
	switch {
	case err != nil:
		return err
	case dear:
		return b.flush(ctx, &account)
	case len(b.waiting) < together:
		return nil
	}
	return b.flush(ctx, nil)
}

// payer gives the account, locked: a close waits, or is over, so that an event is in the invoice or flagged late, never neither.
func (b *batch) payer(ctx context.Context, id string) (accountRow, error) {
	if a, ok := b.accounts[id]; ok {
		return a, nil
	}
	a, err := b.account(ctx, id, shared)
	b.accounts[id] = a
	return a, err
}

// flush stores what waits. Those that were known must have the same content. With an account, the last of them is dear: its month may not become too large.
func (b *batch) flush(ctx context.Context, dear *accountRow) error {
	rows := b.waiting
	b.waiting = nil
	if len(rows) == 0 {
		return nil
	}
	fresh, err := b.insertEvents(ctx, rows)
	if err != nil {
		return err
	}
	b.stored += len(fresh)
	last := rows[len(rows)-1]
	isNew := fresh[last.identity()]
	if len(fresh) < len(rows) {
		if err := b.sameAsKnown(ctx, rows, fresh); err != nil {
			return err
		}
	}
	if dear == nil || !isNew {
		return nil
	}
	return b.checkMonth(ctx, last, *dear)
}

// sameAsKnown compares what was not stored just now with what was stored under its identity.
func (b *batch) sameAsKnown(ctx context.Context, rows []eventRow, fresh map[eventID]bool) error {
	for _, r := range rows {
		if fresh[r.identity()] {
			delete(fresh, r.identity()) // another of the same identity is a repetition of this one
			continue
		}
		known, err := b.eventHash(ctx, r.identity())
		if err != nil {
			return err
		}
		if known != r.Hash {
			return fault.Conflict.Errorf("The event %q of %q was reported before with other content.", r.ID, r.Source).
				WithHint("A correction is a new event with its own id, the difference as its value and a time in the running month, in which the instance still runs; what that month cannot take goes to the next.")
		}
	}
	return nil
}

// pricesIn gives the prices in a currency of the plans that an instance ran under.
func (b *batch) pricesIn(ctx context.Context, currency string, had []intervalRow) (rows []priceRow, err error) {
	all, ok := b.prices[currency]
	if !ok {
		var lives []intervalRow
		for _, l := range b.lives {
			lives = append(lives, l...)
		}
		if all, err = b.Ledger.prices(ctx, plansOf(lives), currency); err != nil {
			return nil, err
		}
		b.prices[currency] = all
	}
	for _, r := range all {
		for _, plan := range plansOf(had) {
			if r.Plan == plan {
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// lives gives the intervals of the instances that events are about, by instance, oldest first.
func (l *Ledger) lives(ctx context.Context, events []catalog.Event) (map[string][]intervalRow, error) {
	out := map[string][]intervalRow{}
	var ids []string
	for _, e := range events {
		if _, ok := out[e.Instance]; !ok {
			out[e.Instance] = nil
			ids = append(ids, e.Instance)
		}
	}
	rows, err := l.intervalsOf(ctx, ids)
	for _, r := range rows {
		out[r.Instance] = append(out[r.Instance], r)
	}
	return out, err
}
