package database

import (
	"context"
	"database/sql"
	"fmt"
	"sync/atomic"
	"time"

	"gorm.io/gorm"
)

// writerWait is how long a transaction waits for its turn.
const writerWait = 15 * time.Second

// key is where ctx carries the transaction of a store: two stores in one process do not meet.
type key struct{ d *DB }

// tx is a running transaction. It belongs to the goroutine that runs it.
type tx struct {
	g      *gorm.DB
	stx    *sql.Tx
	after  []func()
	failed error // of a nested Tx
	done   atomic.Bool
}

// Tx runs fn in a transaction that travels in the ctx that fn gets. It commits when fn returns nil and rolls back on an error, a panic or when
// ctx has ended. A nested Tx joins the outer one; when it fails, the outer one cannot commit any more (ErrPoisoned), even if its error is swallowed.
// A transaction lasts 2 s at most: no provider, HTTP or key service is called in it.
func (d *DB) Tx(ctx context.Context, fn func(context.Context) error) error {
	if t, ok := ctx.Value(key{d}).(*tx); ok {
		return d.join(ctx, t, fn)
	}
	leave, err := d.enter()
	if err != nil {
		return err
	}
	t, err := d.run(ctx, fn, leave)
	if err != nil {
		return err
	}
	for _, f := range t.after {
		f()
	}
	return nil
}

func (d *DB) join(ctx context.Context, t *tx, fn func(context.Context) error) error {
	if t.done.Load() {
		return d.misused(ErrStale)
	}
	err := fn(ctx)
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// run gives the connection back before it returns, so that what runs after the commit may use it.
func (d *DB) run(ctx context.Context, fn func(context.Context) error, leave func()) (*tx, error) {
	defer leave()
	conn, stx, err := d.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	t := &tx{stx: stx}
	inner := context.WithValue(ctx, key{d}, t)
	t.g = d.write.Session(&gorm.Session{NewDB: true, Context: inner})
	t.g.Statement.ConnPool = within{stx, d}
	defer func() {
		if !t.done.Swap(true) { // an error or a panic
			_ = stx.Rollback() // when this fails too, the connection is dead and the store rolls back itself
		}
	}()
	if err = fn(inner); err != nil {
		return nil, err
	}
	if t.failed != nil {
		return nil, fmt.Errorf("%w: %w", ErrPoisoned, t.failed)
	}
	if err = ctx.Err(); err != nil {
		return nil, err
	}
	t.done.Store(true)
	if err = stx.Commit(); err != nil {
		return nil, unanswered(err)
	}
	return t, nil
}

// begin takes another connection when the one it got turns out to be cut: nothing has been said on it yet.
func (d *DB) begin(ctx context.Context) (*sql.Conn, *sql.Tx, error) {
	for left := stale; ; left-- {
		conn, err := d.writer(ctx)
		if err != nil {
			return nil, nil, err
		}
		// Not cancelled with ctx: a cancelled COMMIT has an unknown outcome.
		stx, err := conn.BeginTx(context.WithoutCancel(ctx), nil)
		if err == nil {
			return conn, stx, nil
		}
		_ = conn.Close()
		if left == 0 || !cut(err) {
			return nil, nil, unanswered(err)
		}
	}
}

// writer waits for a connection that writes. The wait is bounded: a transaction is short, so a longer one means that somebody
// waits for himself, which must not hang for ever.
func (d *DB) writer(ctx context.Context) (*sql.Conn, error) {
	wait, cancel := context.WithTimeout(ctx, writerWait)
	defer cancel()
	conn, err := d.W.Conn(wait)
	if err == nil {
		return conn, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err() // the caller's own doing
	}
	return nil, unanswered(err)
}

// AfterCommit runs f once the transaction in ctx has committed, never when it fails; without a transaction, now.
func (d *DB) AfterCommit(ctx context.Context, f func()) {
	if t, ok := ctx.Value(key{d}).(*tx); ok && !t.done.Load() {
		t.after = append(t.after, f)
		return
	}
	f()
}
