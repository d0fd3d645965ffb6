package billing

import (
	"context"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
)

// eventRow is one stored report. Late 1: its period was closed when it came.
type eventRow struct {
	Sender, Source, ID, Hash, Account, Instance, Metric string
	At                                                  int64
	Value, Dimensions                                   string
	Late, StoredAt                                      int64
}

// insertEvent stores one; false when its identity is known already.
func (s store) insertEvent(ctx context.Context, e eventRow) (bool, error) {
	n, err := s.exec(ctx, `INSERT INTO usage_events (sender, source, id, hash, account, instance, metric, at, value, dimensions, late, stored_at)
 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		e.Sender, e.Source, e.ID, e.Hash, e.Account, e.Instance, e.Metric, e.At, e.Value, e.Dimensions, e.Late, e.StoredAt)
	return n > 0, err
}

func (s store) eventHash(ctx context.Context, e catalog.Event) (string, error) {
	rows, err := read[string](ctx, s, `SELECT hash FROM usage_events WHERE sender = ? AND source = ? AND id = ?`, e.Sender, e.Source, e.ID)
	if err == nil && len(rows) == 0 {
		err = fault.Internal.Errorf("An event is neither new nor known.")
	}
	if err != nil {
		return "", err
	}
	return rows[0], nil
}

// events gives what accounts used in a window, late reports only where wanted, in the order of time and identity.
func (s store) events(ctx context.Context, accounts []string, from, to int64, late bool) ([]eventRow, error) {
	if len(accounts) == 0 {
		return nil, nil
	}
	most := 0
	if late {
		most = 1
	}
	return read[eventRow](ctx, s, `SELECT * FROM usage_events WHERE account IN ? AND at >= ? AND at < ? AND late <= ? ORDER BY instance, at, sender, source, id`,
		accounts, from, to, most)
}

// lowered tells whether any event of an account's window is below zero.
func (s store) lowered(ctx context.Context, account string, from, to int64) (bool, error) {
	rows, err := read[string](ctx, s, `SELECT id FROM usage_events WHERE account = ? AND at >= ? AND at < ? AND late = 0 AND value LIKE '-%' LIMIT 1`, account, from, to)
	return len(rows) > 0, err
}

// flagStrays flags the events of an account's month whose instance turned out not to have run in it, such as one that was stopped at an earlier
// moment after they came: no line of the month takes them.
func (s store) flagStrays(ctx context.Context, account string, from, to int64) error {
	_, err := s.exec(ctx, `UPDATE usage_events SET late = 1 WHERE account = ? AND at >= ? AND at < ? AND late = 0 AND NOT EXISTS (
 SELECT 1 FROM intervals i WHERE i.instance = usage_events.instance AND i.account = usage_events.account AND i.started_at < ?
 AND (i.ended_at = 0 OR (i.ended_at > ? AND i.ended_at > i.started_at)))`, account, from, to, to, from)
	return err
}
