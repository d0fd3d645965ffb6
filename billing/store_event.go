package billing

import (
	"context"
	"strings"

	"github.com/sutlerhq/sutler/internal/fault"
)

// eventRow is one stored report. Late 1: its period was closed when it came.
type eventRow struct {
	Sender, Source, ID, Hash, Account, Instance, Metric string
	At                                                  int64
	Value, Dimensions                                   string
	Late, StoredAt                                      int64
}

// eventID is what an event is known by.
type eventID struct{ Sender, Source, ID string }

func (e eventRow) identity() eventID { return eventID{e.Sender, e.Source, e.ID} }

// insertEvents stores those whose identity is not known yet, and tells which.
func (s store) insertEvents(ctx context.Context, rows []eventRow) (map[eventID]bool, error) {
	const one = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	args := make([]any, 0, 12*len(rows))
	for _, e := range rows {
		args = append(args, e.Sender, e.Source, e.ID, e.Hash, e.Account, e.Instance, e.Metric, e.At, e.Value, e.Dimensions, e.Late, e.StoredAt)
	}
	stored, err := read[eventID](ctx, s, `INSERT INTO usage_events (sender, source, id, hash, account, instance, metric, at, value, dimensions, late, stored_at)
 VALUES `+one+strings.Repeat(", "+one, len(rows)-1)+` ON CONFLICT DO NOTHING RETURNING sender, source, id`, args...)
	fresh := make(map[eventID]bool, len(stored))
	for _, id := range stored {
		fresh[id] = true
	}
	return fresh, err
}

func (s store) eventHash(ctx context.Context, e eventID) (string, error) {
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
