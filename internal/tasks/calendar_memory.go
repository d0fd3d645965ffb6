package tasks

import (
	"context"
	"sync"
	"time"
)

// aMoment is how long something that was found out is taken for granted within one Advance. Months of the market's time go by in it.
const aMoment = time.Second

type memoryKey struct{}

type remembered struct {
	value any
	until time.Time
}

// remembering gives the rows that one Advance runs a memory of their own.
func remembering(ctx context.Context) context.Context {
	return context.WithValue(ctx, memoryKey{}, &sync.Map{})
}

// Remember keeps what a row's function found out of the world outside for a moment, for later rows of the same Advance: they run at the same time
// as far as that world knows. Outside of an Advance nothing is kept.
func Remember(ctx context.Context, key string, value any) {
	if m, ok := ctx.Value(memoryKey{}).(*sync.Map); ok {
		m.Store(key, remembered{value, time.Now().Add(aMoment)})
	}
}

// Recall gives what Remember kept under the key a moment ago.
func Recall(ctx context.Context, key string) (value any, ok bool) {
	m, ok := ctx.Value(memoryKey{}).(*sync.Map)
	if !ok {
		return nil, false
	}
	v, ok := m.Load(key)
	if !ok || time.Now().After(v.(remembered).until) {
		return nil, false
	}
	return v.(remembered).value, true
}
