// Package tasks is a durable queue in one table: lease, fence, wake-up, schedule. It runs on both stores.
package tasks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/sutlerhq/sutler/internal/database"
)

const (
	lease = 6 * time.Second
	beat  = 2 * time.Second
)

var ErrFenced = errors.New("tasks: the lease has passed on")

type again struct{ d time.Duration }

func (a again) Error() string      { return "again in " + a.d.String() }
func Snooze(d time.Duration) error { return again{d} }

type cancel struct{ error }

func Cancel(err error) error { return cancel{err} }

type Task struct {
	Key, Kind, Args              string
	Fence, Wakes, Attempt, Every int64
}

type running struct {
	Task
	e    *Engine
	stop context.CancelCauseFunc
	mu   sync.Mutex
	till time.Time // our view, monotonic
}

type runKey struct{}

type Engine struct {
	db       *database.DB
	Boot     string // node name + boot number
	node     string
	handlers map[string]func(context.Context, string) error
	slots    chan struct{}
	bell     chan struct{}
	mine     sync.Map // key -> *running
}

func New(db *database.DB, node, boot string, workers int) *Engine {
	return &Engine{db: db, node: node, Boot: node + "/" + boot, handlers: map[string]func(context.Context, string) error{}, slots: make(chan struct{}, workers), bell: make(chan struct{}, 1)}
}

func Handle[T any](e *Engine, kind string, fn func(context.Context, T) error) {
	e.handlers[kind] = func(ctx context.Context, raw string) error {
		var a T
		if err := json.Unmarshal([]byte(raw), &a); err != nil {
			return Cancel(err)
		}
		return fn(ctx, a)
	}
}

// Enqueue wakes key in the caller's transaction; a key that is running runs once more afterwards.
func (e *Engine) Enqueue(ctx context.Context, kind, key string, args any, node string) error {
	return e.put(ctx, kind, key, args, node, 0)
}

// Every registers a schedule; all nodes may call it, one row exists.
func (e *Engine) Every(ctx context.Context, kind string, d time.Duration) error {
	return e.db.Tx(ctx, func(ctx context.Context) error {
		return e.put(ctx, kind, "every/"+kind, struct{}{}, "", d.Microseconds())
	})
}

func (e *Engine) put(ctx context.Context, kind, key string, args any, node string, every int64) error {
	b, err := json.Marshal(args)
	if err != nil {
		return err
	}
	set := "wakes = tasks.wakes + 1, wake_at = 0"
	if every > 0 {
		set = "every = excluded.every"
	}
	if err := e.db.From(ctx).Exec(`INSERT INTO tasks (key, kind, args, node, every) VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET `+set, key, kind, string(b), node, every).Error; err != nil {
		return err
	}
	if e.db.SQLite {
		e.db.AfterCommit(ctx, e.ring)
		return nil
	}
	return e.db.From(ctx).Exec(`SELECT pg_notify('wake', '')`).Error
}

// Hold is the fence: called inside a Tx it makes the whole transaction fail when the lease has passed on.
func Hold(ctx context.Context) error {
	r, ok := ctx.Value(runKey{}).(*running)
	if !ok {
		return nil // not a worker
	}
	x := r.e.db.From(ctx).Exec(`UPDATE tasks SET lease_until = `+r.e.db.Now()+` + 6000000 WHERE key = ? AND fence = ?`, r.Key, r.Fence)
	if x.Error == nil && x.RowsAffected == 0 {
		r.stop(ErrFenced)
		return ErrFenced
	}
	return x.Error
}

// Alive is asked right before a provider call: may this worker still act? By its own clock, with a margin.
func Alive(ctx context.Context) error {
	r, ok := ctx.Value(runKey{}).(*running)
	if !ok {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Until(r.till) < 500*time.Millisecond {
		return ErrFenced
	}
	return ctx.Err()
}

func Fence(ctx context.Context) int64 { return ctx.Value(runKey{}).(*running).Fence }

func (e *Engine) ring() {
	select {
	case e.bell <- struct{}{}:
	default:
	}
}

func (e *Engine) Start(ctx context.Context) error {
	// our former self is dead: on SQLite everybody is, on PostgreSQL whoever bore our name
	q, a := `lease_owner LIKE ? `, any(e.node+"/%")
	if e.db.SQLite {
		q, a = `lease_owner <> ?`, ""
	}
	if err := e.db.Tx(ctx, func(ctx context.Context) error {
		return e.db.From(ctx).Exec(`UPDATE tasks SET lease_until = 0 WHERE lease_until > 0 AND `+q, a).Error
	}); err != nil {
		return err
	}
	if !e.db.SQLite {
		go e.listen(ctx)
	}
	go e.beats(ctx)
	go e.loop(ctx)
	return nil
}

func (e *Engine) listen(ctx context.Context) {
	for ctx.Err() == nil {
		if c, err := pgx.ConnectConfig(ctx, e.db.Pool.Config().ConnConfig); err == nil {
			if _, err = c.Exec(ctx, `LISTEN wake`); err == nil {
				for e.ring(); err == nil; e.ring() {
					_, err = c.WaitForNotification(ctx)
				}
			}
			c.Close(context.Background())
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// beats renews all leases of this process in one statement.
func (e *Engine) beats(ctx context.Context) {
	for t := time.NewTicker(beat); ctx.Err() == nil; <-t.C {
		before := map[string]*running{}
		e.mine.Range(func(k, v any) bool { before[k.(string)] = v.(*running); return true })
		if len(before) == 0 {
			continue
		}
		sent := time.Now()
		var got []Task
		c, cancel := context.WithTimeout(ctx, beat)
		err := e.db.Tx(c, func(ctx context.Context) error {
			got = nil
			return e.db.From(ctx).Raw(`UPDATE tasks SET lease_until = `+e.db.Now()+` + 6000000 WHERE lease_owner = ? AND lease_until > 0 RETURNING key, fence`, e.Boot).Scan(&got).Error
		})
		cancel()
		for _, g := range got {
			if r := before[g.Key]; err == nil && r != nil && r.Fence == g.Fence {
				r.mu.Lock()
				r.till = sent.Add(lease)
				r.mu.Unlock()
				delete(before, g.Key)
			}
		}
		for _, r := range before {
			r.mu.Lock()
			late := time.Now().After(r.till)
			r.mu.Unlock()
			if late || err == nil {
				r.stop(ErrFenced)
			}
		}
	}
}

func (e *Engine) loop(ctx context.Context) {
	t := time.NewTimer(0)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		case <-e.bell:
		}
		wait, err := e.fill(ctx)
		if err != nil && ctx.Err() == nil {
			slog.Error("tasks", "err", err)
		}
		t.Reset(wait)
	}
}

// fill claims what is due while slots are free, and tells when to look again.
func (e *Engine) fill(ctx context.Context) (time.Duration, error) {
	now := e.db.Now()
	for free := cap(e.slots) - len(e.slots); free > 0; free = cap(e.slots) - len(e.slots) {
		var next *int64
		mine := ` (node = '' OR node = '` + e.node + `')`
		if err := e.db.From(ctx).Raw(`SELECT min(CASE WHEN wake_at > lease_until THEN wake_at ELSE lease_until END) - ` + now + ` FROM tasks WHERE` + mine).Scan(&next).Error; err != nil {
			return beat, err
		}
		if next == nil {
			return beat, nil
		}
		if *next > 0 {
			return min(beat, time.Duration(*next)*time.Microsecond+time.Millisecond), nil
		}
		skip := ""
		if !e.db.SQLite {
			skip = " FOR UPDATE SKIP LOCKED"
		}
		var got []Task
		sent := time.Now()
		err := e.db.Tx(ctx, func(ctx context.Context) error {
			got = nil
			return e.db.From(ctx).Raw(`UPDATE tasks SET lease_owner = ?, lease_until = `+now+` + 6000000, fence = fence + 1, attempt = attempt + 1
 WHERE key IN (SELECT key FROM tasks WHERE wake_at <= `+now+` AND lease_until < `+now+` AND`+mine+` ORDER BY wake_at LIMIT ?`+skip+`)
 RETURNING key, kind, args, fence, wakes, attempt, every`, e.Boot, free).Scan(&got).Error
		})
		if err != nil {
			return beat, err
		}
		if len(got) == 0 {
			return 20 * time.Millisecond, nil // others hold the rows
		}
		for _, k := range got {
			e.slots <- struct{}{}
			c, stop := context.WithCancelCause(ctx)
			r := &running{Task: k, e: e, stop: stop, till: sent.Add(lease)}
			e.mine.Store(k.Key, r)
			go e.run(context.WithValue(c, runKey{}, r), r)
		}
	}
	return beat, nil
}

func (e *Engine) run(ctx context.Context, r *running) {
	defer func() {
		e.mine.CompareAndDelete(r.Key, r)
		r.stop(nil)
		<-e.slots
		e.ring()
	}()
	err := e.call(ctx, r)
	if errors.Is(err, ErrFenced) || context.Cause(ctx) != nil {
		return
	}
	now := e.db.Now()
	var d time.Duration
	var a again
	var c cancel
	set, drop := "", false
	switch {
	case errors.As(err, &a):
		d, set = a.d, "attempt = attempt - 1, "
	case (err == nil || errors.As(err, &c)) && r.Every > 0:
		d, set = time.Duration(r.Every)*time.Microsecond, "attempt = 0, "
	case err == nil || errors.As(err, &c):
		drop = true
	default:
		d = min(time.Minute, time.Second<<min(r.Attempt-1, 6))
	}
	err2 := e.db.Tx(ctx, func(ctx context.Context) error {
		g := e.db.From(ctx)
		if drop {
			if x := g.Exec(`DELETE FROM tasks WHERE key = ? AND fence = ? AND wakes = ?`, r.Key, r.Fence, r.Wakes); x.Error != nil || x.RowsAffected > 0 {
				return x.Error
			}
			return g.Exec(`UPDATE tasks SET lease_until = 0, wake_at = 0, attempt = 0 WHERE key = ? AND fence = ?`, r.Key, r.Fence).Error
		}
		note := ""
		if err != nil {
			note = err.Error()
		}
		return g.Exec(`UPDATE tasks SET `+set+`note = ?, lease_until = 0, wake_at = CASE WHEN wakes = ? THEN `+now+` + ? ELSE 0 END WHERE key = ? AND fence = ?`, note, r.Wakes, d.Microseconds(), r.Key, r.Fence).Error
	})
	if err2 != nil && ctx.Err() == nil {
		slog.Error("tasks: end", "key", r.Key, "err", err2)
	}
}

func (e *Engine) call(ctx context.Context, r *running) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	h, ok := e.handlers[r.Kind]
	if !ok {
		return Snooze(time.Minute) // an older node: leave it to a newer one
	}
	return h(ctx, r.Args)
}
