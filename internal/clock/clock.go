// Package clock tells two times apart: the wall's (leases, sessions, tokens, TLS) and the market's (intervals, windows, close, budgets).
package clock

import (
	"sync/atomic"
	"time"
)

// Clock gives the time now, in UTC.
type Clock interface{ Now() time.Time }

// Wall is the machine's clock.
type Wall struct{}

// Now is the machine's time in UTC.
func (Wall) Now() time.Time { return time.Now().UTC() }

// Market is the market's clock: the wall's plus an offset that only `dev` moves, and only forward. The zero value runs with the wall.
// The offset is kept in the store (tasks.Calendar loads and saves it), so it outlives the process.
type Market struct{ offset atomic.Int64 }

// Now is the market's time in UTC.
func (m *Market) Now() time.Time { return time.Now().UTC().Add(time.Duration(m.offset.Load())) }

// Offset tells how far the market runs before the wall.
func (m *Market) Offset() time.Duration { return time.Duration(m.offset.Load()) }

// SetOffset moves the market's clock.
func (m *Market) SetOffset(d time.Duration) { m.offset.Store(int64(d)) }

// Fixed is a clock that stands still, for tests of pure code.
type Fixed time.Time

// Now is the fixed time in UTC.
func (f Fixed) Now() time.Time { return time.Time(f).UTC() }
