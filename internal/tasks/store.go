package tasks

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// channel is where PostgreSQL tells processes of a wake-up.
const channel = "wake"

// leaseMicros is the lease as SQL.
var leaseMicros = strconv.FormatInt(lease.Microseconds(), 10)

func (e *Engine) put(ctx context.Context, kind, key string, args any, node string, every time.Duration) error {
	raw, err := json.Marshal(args)
	if err != nil {
		return fault.Internal.Wrap(err, "The arguments of a %s task cannot be written.", kind)
	}
	set := "wakes = tasks.wakes + 1, wake_at = 0, node = excluded.node"
	if every > 0 {
		set = "every = excluded.every"
	}
	g := e.db.From(ctx)
	if err := g.Exec(`INSERT INTO tasks (key, kind, args, node, every) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET `+set,
		key, kind, string(raw), node, every.Microseconds()).Error; err != nil {
		return err
	}
	e.db.AfterCommit(ctx, e.wake)
	return nil
}

// wake tells our own claiming loop, and those of other processes in a statement of its own: a NOTIFY inside the transaction would let no two
// transactions commit at the same time. Should it be lost with this process, the others look by themselves within a beat.
func (e *Engine) wake() {
	e.ring()
	if !e.db.SQLite && !e.calling.Swap(true) {
		go e.shout()
	}
}

// shout sends one wake-up for all that were asked for while the one before was on its way.
func (e *Engine) shout() {
	e.line.Lock()
	defer e.line.Unlock()
	e.calling.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), beat)
	defer cancel()
	_, _ = e.db.Pool.Exec(ctx, `SELECT pg_notify($1, $2)`, channel, e.Boot) // nothing depends on it
}

// voidLeases frees what our former self held: on SQLite everybody else is dead, on PostgreSQL whoever bore our name.
func (e *Engine) voidLeases(ctx context.Context) error {
	return e.db.Tx(ctx, func(ctx context.Context) error {
		g := e.db.From(ctx)
		if e.db.SQLite {
			return g.Exec(`UPDATE tasks SET lease_until = 0 WHERE lease_until > 0`).Error
		}
		name := e.node + "/"
		return g.Exec(`UPDATE tasks SET lease_until = 0 WHERE lease_until > 0 AND substr(lease_owner, 1, length(?)) = ?`, name, name).Error
	})
}

// giveUp frees what we hold and fences off handlers that still run. The run that was cut short does not count as a failure.
func (e *Engine) giveUp(ctx context.Context) error {
	return e.db.Tx(ctx, func(ctx context.Context) error {
		x := e.db.From(ctx).Exec(`UPDATE tasks SET lease_until = 0, fence = fence + 1, attempt = CASE WHEN attempt > 0 THEN attempt - 1 ELSE 0 END
 WHERE lease_owner = ? AND lease_until > 0`, e.Boot)
		if x.Error != nil || x.RowsAffected == 0 {
			return x.Error
		}
		if e.db.SQLite {
			return nil // there is nobody else
		}
		return e.db.From(ctx).Exec(`SELECT pg_notify(?, '')`, channel).Error // within: this process is about to end
	})
}

// nextDue tells how long until the next task of these kinds can be claimed; any is false when there is none.
func (e *Engine) nextDue(ctx context.Context, kinds []string) (wait time.Duration, any bool, err error) {
	if len(kinds) == 0 {
		return 0, false, nil
	}
	var next *int64
	err = e.db.From(ctx).Raw(`SELECT min(CASE WHEN wake_at > lease_until THEN wake_at ELSE lease_until END) - `+e.db.Now()+`
 FROM tasks WHERE (node = '' OR node = ?) AND kind IN ?`, e.node, kinds).Scan(&next).Error
	if err != nil || next == nil {
		return 0, false, err
	}
	return time.Duration(*next) * time.Microsecond, true, nil
}

// take claims up to limit tasks in one statement that raises their fences.
func (e *Engine) take(ctx context.Context, kinds []string, limit int) (got []task, err error) {
	skip, now := "", e.db.Now()
	if !e.db.SQLite {
		skip = " FOR UPDATE SKIP LOCKED"
	}
	err = e.db.Tx(ctx, func(ctx context.Context) error {
		got = nil
		return e.db.From(ctx).Raw(`UPDATE tasks SET lease_owner = ?, lease_until = `+now+` + `+leaseMicros+`, fence = fence + 1, attempt = attempt + 1
 WHERE key IN (SELECT key FROM tasks WHERE wake_at <= `+now+` AND lease_until < `+now+` AND (node = '' OR node = ?) AND kind IN ? ORDER BY wake_at LIMIT ?`+skip+`)
 RETURNING key, kind, args, note, fence, wakes, attempt, every`, e.Boot, e.node, kinds, limit).Scan(&got).Error
	})
	return got, err
}

// hold extends the lease inside the worker's transaction, and thereby locks the row; false when the lease has passed on.
func (e *Engine) hold(ctx context.Context, r *running) (bool, error) {
	x := e.db.From(ctx).Exec(`UPDATE tasks SET lease_until = `+e.db.Now()+` + `+leaseMicros+` WHERE key = ? AND fence = ?`, r.Key, r.Fence)
	return x.RowsAffected > 0, x.Error
}

func (e *Engine) renewSQLite(ctx context.Context, keys []string) (map[string]int64, error) {
	var got []task
	err := e.db.Tx(ctx, func(ctx context.Context) error {
		got = nil
		return e.db.From(ctx).Raw(`UPDATE tasks SET lease_until = `+e.db.Now()+` + `+leaseMicros+` WHERE lease_owner = ? AND lease_until > 0 AND key IN ? RETURNING key, fence`,
			e.Boot, keys).Scan(&got).Error
	})
	fences := map[string]int64{}
	for _, k := range got {
		fences[k.Key] = k.Fence
	}
	return fences, err
}

// finish writes the ending, unless the lease has passed on. A task that was woken while it ran is due again at once.
func (e *Engine) finish(ctx context.Context, r *running, end ending) error {
	return e.db.Tx(ctx, func(ctx context.Context) error {
		g := e.db.From(ctx)
		if end.drop {
			x := g.Exec(`DELETE FROM tasks WHERE key = ? AND fence = ? AND wakes = ?`, r.Key, r.Fence, r.Wakes)
			if x.Error != nil || x.RowsAffected > 0 {
				return x.Error
			}
		}
		return g.Exec(`UPDATE tasks SET attempt = ?, note = ?, lease_until = 0, wake_at = CASE WHEN wakes = ? THEN `+e.db.Now()+` + ? ELSE 0 END WHERE key = ? AND fence = ?`,
			end.attempt, end.note, r.Wakes, end.after.Microseconds(), r.Key, r.Fence).Error
	})
}
