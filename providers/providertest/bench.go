package providertest

import (
	"context"
	"time"
)

// Bench is how a backend of one kind is used and abused. A driver's package has its own, and everybody who checks the driver uses that one:
// its tests and `sutler provider certify` try the same.
type Bench struct {
	// Login connects as an app does: with the credentials of a binding and nothing else. It must not try again by itself.
	Login func(ctx context.Context, credentials map[string]any) (Session, error)
	// Trespass tries to reach the instance of theirs, and what is the server's own, with the login of mine, by every way that the backend has.
	// It names the first way that was open; "": it was refused everywhere. An error: it could not be tried. What it made where a way was
	// open it takes back. Optional.
	Trespass func(ctx context.Context, mine, theirs map[string]any) (way string, err error)
	// Cling does what makes a login hard to remove: owns objects, changes its own password, holds on to the server. Optional.
	Cling func(ctx context.Context, s Session) error
	// Lag is how late the backend may tell in its counters what was done. 0 where they are exact at once.
	Lag time.Duration
}

// BenchOf makes the suite's of what a driver's package has; trespass and cling may be nil.
func BenchOf[S Session](
	login func(ctx context.Context, credentials map[string]any) (S, error),
	trespass func(ctx context.Context, mine, theirs map[string]any) (way string, err error),
	cling func(ctx context.Context, s S) error,
) Bench {
	b := Bench{Trespass: trespass, Login: func(ctx context.Context, credentials map[string]any) (Session, error) {
		s, err := login(ctx, credentials)
		if err != nil {
			return nil, err // not s: a nil of its type is no nil session
		}
		return s, nil
	}}
	if cling != nil {
		b.Cling = func(ctx context.Context, s Session) error {
			own, ok := s.(S)
			if !ok {
				return errs("the session is a %T", s)
			}
			return cling(ctx, own)
		}
	}
	return b
}
