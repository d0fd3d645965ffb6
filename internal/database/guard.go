package database

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"runtime"
	"strconv"

	"gorm.io/gorm"
)

// Mistakes of a caller. In tests they panic, so that none is overlooked.
var (
	ErrOuterHandle = errors.New("database: a handle from outside was used inside a transaction; take it from the ctx that Tx gave you")
	ErrStale       = errors.New("database: this ctx carries a transaction that has ended")
	ErrBegin       = errors.New("database: gorm's own Begin and Transaction are closed; use Tx")
)

// ErrPoisoned says that a nested Tx failed, so the outer one was rolled back although its function returned no error.
var ErrPoisoned = errors.New("database: an inner Tx failed, so the outer one cannot commit")

// Lenient lets a test measure what a server does: misuse gives an error and is no longer looked for on every statement, which costs more than most
// statements do. Call it before the store is used.
func (d *DB) Lenient() { d.strict = false }

func (d *DB) misused(err error) error {
	if d.strict {
		panic(err)
	}
	return err
}

func (d *DB) broken(ctx context.Context, err error) *gorm.DB {
	g := d.read.WithContext(ctx)
	_ = g.AddError(d.misused(err))
	return g
}

// enter notes that this goroutine is inside a Tx. A second Tx of the same goroutine with a ctx from outside would, on SQLite, wait for itself for ever.
func (d *DB) enter() (leave func(), err error) {
	if !d.strict {
		return func() {}, nil
	}
	id := goroutine()
	if _, inside := d.open.LoadOrStore(id, struct{}{}); inside {
		return nil, d.misused(ErrOuterHandle)
	}
	return func() { d.open.Delete(id) }, nil
}

// insideElsewhere tells whether this goroutine is inside a Tx that its ctx knows nothing of. It looks in tests only.
func (d *DB) insideElsewhere() bool {
	if !d.strict {
		return false
	}
	_, inside := d.open.Load(goroutine())
	return inside
}

// goroutine is the running goroutine's number, read off its stack's first line: good enough to find mistakes in tests, and never used elsewhere.
func goroutine() int64 {
	var b [40]byte
	words := bytes.Fields(b[:runtime.Stack(b[:], false)])
	id, _ := strconv.ParseInt(string(words[1]), 10, 64)
	return id
}

// outer is the pool behind every handle that is not a transaction's. It refuses to work for a ctx that carries a transaction.
type outer struct {
	*sql.DB
	d *DB
}

func (o outer) misuse(ctx context.Context) error {
	if o.d.In(ctx) || o.d.insideElsewhere() {
		return o.d.misused(ErrOuterHandle)
	}
	return nil
}

// GetDBConn lets gorm find the pool.
func (o outer) GetDBConn() (*sql.DB, error) { return o.DB, nil }

// BeginTx refuses gorm's own transactions.
func (o outer) BeginTx(context.Context, *sql.TxOptions) (*sql.Tx, error) {
	return nil, o.d.misused(ErrBegin)
}

// ExecContext runs a statement outside any transaction.
func (o outer) ExecContext(ctx context.Context, q string, a ...any) (sql.Result, error) {
	if err := o.misuse(ctx); err != nil {
		return nil, err
	}
	return o.DB.ExecContext(ctx, q, a...)
}

// QueryContext reads outside any transaction. It asks again when the connection turns out to be cut: reading changes nothing.
func (o outer) QueryContext(ctx context.Context, q string, a ...any) (*sql.Rows, error) {
	if err := o.misuse(ctx); err != nil {
		return nil, err
	}
	rows, err := o.DB.QueryContext(ctx, q, o.d.unprepared(q, a)...)
	for left := stale; left > 0 && cut(err) && ctx.Err() == nil; left-- {
		rows, err = o.DB.QueryContext(ctx, q, o.d.unprepared(q, a)...)
	}
	return rows, classed(err, false)
}

// QueryRowContext reads one row outside any transaction.
func (o outer) QueryRowContext(ctx context.Context, q string, a ...any) *sql.Row {
	if err := o.misuse(ctx); err != nil { // a Row cannot carry our error: it fails as cancelled
		c, cancel := context.WithCancel(ctx)
		cancel()
		ctx = c
	}
	return o.DB.QueryRowContext(ctx, q, a...)
}
