package tasks

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	lease  = 6 * time.Second
	beat   = 2 * time.Second
	margin = 500 * time.Millisecond // what a call may take from Alive to the wire
)

// Hold is the fence: at the beginning of a transaction it makes the whole transaction fail with ErrFenced when the lease has passed on, and keeps
// it from passing on until the transaction ends. Outside a handler it does nothing.
func Hold(ctx context.Context) error {
	r, ok := worker(ctx)
	if !ok {
		return nil
	}
	sent := time.Now()
	held, err := r.e.hold(ctx, r)
	if err != nil {
		return err
	}
	if !held {
		r.stop(ErrFenced)
		return ErrFenced
	}
	r.e.db.AfterCommit(ctx, func() { r.renewed(sent) })
	return nil
}

// Alive is asked right before a call to the outside: may this worker still act? It answers by this process's own clock, with a margin, and
// asks nobody. Outside a handler it says yes.
func Alive(ctx context.Context) error {
	r, ok := worker(ctx)
	if !ok {
		return nil
	}
	if r.left() < margin {
		return ErrFenced
	}
	return ctx.Err()
}

// renew extends the leases of these keys and gives the fences of those it reached.
type renew func(ctx context.Context, keys []string) (map[string]int64, error)

// beats renews the leases of all running handlers in one statement, and stops handlers whose lease is lost.
func (e *Engine) beats(ctx context.Context, renew renew) {
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			e.beat(ctx, renew)
		}
	}
}

func (e *Engine) beat(ctx context.Context, renew renew) {
	all := map[string]*running{}
	var keys []string
	e.mine.Range(func(k, v any) bool {
		key, r := k.(string), v.(*running)
		all[key], keys = r, append(keys, key)
		return true
	})
	if len(keys) == 0 {
		return
	}
	sent := time.Now()
	c, cancel := context.WithTimeout(ctx, beat)
	defer cancel()
	fences, err := renew(c, keys)
	if err != nil && ctx.Err() == nil {
		e.Log.WarnContext(ctx, "tasks: leases could not be renewed", "err", err)
	}
	for key, r := range all {
		if fence, ok := fences[key]; ok && fence == r.Fence {
			r.renewed(sent)
		} else if ok || r.left() <= 0 {
			// A row that was not reached is either another's or locked by its own worker's transaction, which renews it by Hold.
			r.stop(ErrFenced)
		}
	}
}

// renewer keeps a PostgreSQL connection for the heartbeat alone: a full pool must not cost us our leases.
type renewer struct {
	e    *Engine
	conn *pgx.Conn
}

// renew skips rows that a worker's transaction holds: waiting for one would let the others run out, or deadlock.
func (r *renewer) renew(ctx context.Context, keys []string) (fences map[string]int64, err error) {
	if r.conn == nil {
		if r.conn, err = pgx.ConnectConfig(ctx, r.e.db.Pool.Config().ConnConfig); err != nil {
			return nil, err
		}
	}
	rows, err := r.conn.Query(ctx, `UPDATE tasks SET lease_until = `+r.e.db.Now()+` + `+leaseMicros+` WHERE key IN
 (SELECT key FROM tasks WHERE lease_owner = $1 AND lease_until > 0 AND key = ANY($2) FOR UPDATE SKIP LOCKED) RETURNING key, fence`, r.e.Boot, keys)
	if err == nil {
		fences = map[string]int64{}
		var key string
		var fence int64
		_, err = pgx.ForEachRow(rows, []any{&key, &fence}, func() error { fences[key] = fence; return nil })
	}
	if err != nil {
		r.close() // a new one the next time
		return nil, err
	}
	return fences, nil
}

func (r *renewer) close() {
	if r.conn == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.conn.Close(ctx) // the connection is given up either way
	r.conn = nil
}
