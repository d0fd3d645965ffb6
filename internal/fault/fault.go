// Package fault classes errors once, where they are understood, so that each door can translate them once.
//
// A fault has a kind, a text meant for the caller (what, why, next step), optionally a hint and the fields that were wrong.
// An error without a kind is Internal: its text never leaves the process (the door gives an error ID that the log has too).
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of failure an error is. A Kind is itself an error, so errors.Is(err, fault.NotFound) works.
type Kind string

// The kinds, each with the meaning a caller can act on.
const (
	Internal        Kind = "internal"        // our own mistake; the text stays inside
	Invalid         Kind = "invalid"         // the request is wrong and will stay wrong
	Unauthenticated Kind = "unauthenticated" // who is asking is not known
	Forbidden       Kind = "forbidden"       // known, may see it, may not do it
	Refused         Kind = "refused"         // a policy or a budget says no
	NotFound        Kind = "not_found"       // not there, or not yours: the same answer
	Conflict        Kind = "conflict"        // taken, or different from what is there
	Busy            Kind = "busy"            // another operation on the same thing is running
	Gone            Kind = "gone"            // was there, is no more
	TooLarge        Kind = "too_large"       // the body is over the limit
	TooMany         Kind = "too_many"        // slow down
	Unprocessable   Kind = "unprocessable"   // well-formed, but the state or the plan does not allow it
	Unavailable     Kind = "unavailable"     // a part we need does not answer now; try again
	Timeout         Kind = "timeout"         // waited long enough
	ProviderFailed  Kind = "provider_failed" // the backend's side said no or broke
)

// Error makes a Kind an error, so that it can be matched with errors.Is.
func (k Kind) Error() string { return string(k) }

// Field is one wrong field of a request.
type Field struct {
	Path   string `json:"path"`   // where, as a JSON pointer or a configuration path
	Reason string `json:"reason"` // why, for people
}

// Fault is an error with a kind. Its Error text is fit for the caller; what it wraps is for the log.
type Fault struct {
	Kind   Kind
	Text   string
	Hint   string  // the next step, when there is one
	Code   string  // a protocol's own word for it (OSB's AsyncRequired…), when there is one
	Fields []Field // what was wrong where
	cause  error
}

// Error is the caller's text alone.
func (f *Fault) Error() string { return f.Text }

// Unwrap gives the cause, for errors.Is and the log.
func (f *Fault) Unwrap() error { return f.cause }

// Is matches the fault's Kind.
func (f *Fault) Is(target error) bool { k, ok := target.(Kind); return ok && k == f.Kind }

// Errorf makes a fault of this kind.
func (k Kind) Errorf(format string, a ...any) *Fault {
	return &Fault{Kind: k, Text: fmt.Sprintf(format, a...)}
}

// Wrap makes a fault of this kind that keeps err as its cause. The cause's text is not shown to callers.
func (k Kind) Wrap(err error, format string, a ...any) *Fault {
	return &Fault{Kind: k, Text: fmt.Sprintf(format, a...), cause: err}
}

// WithHint adds the next step.
func (f *Fault) WithHint(format string, a ...any) *Fault {
	c := *f
	c.Hint = fmt.Sprintf(format, a...)
	return &c
}

// WithCode adds a protocol's own word.
func (f *Fault) WithCode(code string) *Fault { c := *f; c.Code = code; return &c }

// WithFields adds what was wrong where.
func (f *Fault) WithFields(fields ...Field) *Fault {
	c := *f
	c.Fields = append(append([]Field(nil), f.Fields...), fields...)
	return &c
}

// Of gives err as a Fault; one that has no kind becomes Internal with a text that tells nothing.
func Of(err error) *Fault {
	if f, ok := errors.AsType[*Fault](err); ok {
		return f
	}
	if k, ok := errors.AsType[Kind](err); ok {
		return &Fault{Kind: k, Text: string(k), cause: err}
	}
	return &Fault{Kind: Internal, Text: "Something went wrong on our side.", cause: err}
}

// KindOf gives err's kind; Internal when it has none.
func KindOf(err error) Kind { return Of(err).Kind }
