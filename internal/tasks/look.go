package tasks

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Row is a task as it stands in the store, for people who look for stuck work.
type Row struct {
	Key, Kind string
	Node      string // the node it is reserved for; "" for any
	Attempt   int64  // runs since the last success, the running one included
	Note      string // what the last failure said; holds no secret
	Owner     string // who runs it; "" when nobody does
	WakeAt    time.Time
	Every     time.Duration // 0 for a task that runs once
}

// Due counts the tasks that are due now and that nobody runs, whichever node they are for.
func (e *Engine) Due(ctx context.Context) (n int64, err error) {
	now := e.db.Now()
	if err = e.db.From(ctx).Raw(`SELECT count(*) FROM tasks WHERE wake_at <= ` + now + ` AND lease_until < ` + now).Scan(&n).Error; err != nil {
		return 0, fault.Unavailable.Wrap(err, "The tasks could not be read.")
	}
	return n, nil
}

// List gives tasks that have begun at least attempts runs without success (0 gives all), the longest stuck first, at most limit.
func (e *Engine) List(ctx context.Context, attempts int64, limit int) ([]Row, error) {
	var found []struct {
		Key, Kind, Node, Note, Owner string
		Attempt, WakeAt, Every       int64
	}
	err := e.db.From(ctx).Raw(`SELECT key, kind, node, note, attempt, wake_at, every, CASE WHEN lease_until > `+e.db.Now()+` THEN lease_owner ELSE '' END AS owner
 FROM tasks WHERE attempt >= ? ORDER BY attempt DESC, key LIMIT ?`, attempts, limit).Scan(&found).Error
	if err != nil {
		return nil, fault.Unavailable.Wrap(err, "The tasks could not be read.")
	}
	rows := make([]Row, len(found))
	for i, f := range found {
		rows[i] = Row{
			Key: f.Key, Kind: f.Kind, Node: f.Node, Attempt: f.Attempt, Note: f.Note, Owner: f.Owner,
			WakeAt: time.UnixMicro(f.WakeAt).UTC(), Every: time.Duration(f.Every) * time.Microsecond,
		}
	}
	return rows, nil
}

// Pending tells whether there is a task of this key, running or not.
func (e *Engine) Pending(ctx context.Context, key string) (bool, error) {
	var n int64
	if err := e.db.From(ctx).Raw(`SELECT count(*) FROM tasks WHERE key = ?`, key).Scan(&n).Error; err != nil {
		return false, fault.Unavailable.Wrap(err, "The tasks could not be read.")
	}
	return n > 0, nil
}
