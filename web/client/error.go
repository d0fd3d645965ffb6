package client

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Error is the market's answer to a request that it did not carry out (RFC 9457, application/problem+json).
type Error struct {
	Status  int     `json:"status"`             // HTTP status
	Code    string  `json:"code"`               // the kind of fault: not_found, conflict, refused…
	Detail  string  `json:"detail"`             // what happened and why, for people
	Hint    string  `json:"hint,omitempty"`     // the next step, when there is one
	Fields  []Field `json:"fields,omitempty"`   // what was wrong where
	ErrorID string  `json:"error_id,omitempty"` // under which the server's log has more
}

// Field is one wrong field of a request.
type Field struct {
	Path   string `json:"path"`
	Reason string `json:"reason"`
}

// Error is the detail with its fields, in one line.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Detail)
	for _, f := range e.Fields {
		fmt.Fprintf(&b, " (%s: %s)", f.Path, f.Reason)
	}
	return b.String()
}

// Unreached says that no market answered at an address.
type Unreached struct {
	Address string
	Cause   error
}

// Error is the address and why nobody answered there.
func (e *Unreached) Error() string {
	return fmt.Sprintf("the market at %s does not answer: %v", e.Address, e.Cause)
}

// Unwrap gives the cause.
func (e *Unreached) Unwrap() error { return e.Cause }

// readError makes an Error of a response's body; one that is no problem document is described by its status alone.
func readError(status int, body []byte) *Error {
	e := &Error{}
	if json.Unmarshal(body, e) != nil || e.Detail == "" {
		e = &Error{Detail: fmt.Sprintf("The server answered %d %s.", status, http.StatusText(status))}
	}
	e.Status = status
	if e.Code == "" {
		e.Code = codeOf(status)
	}
	return e
}

// codeOf gives the kind that a bare status stands for.
func codeOf(status int) string {
	switch status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return "invalid"
	case http.StatusUnauthorized:
		return "unauthenticated"
	case http.StatusForbidden:
		return "forbidden"
	case http.StatusNotFound:
		return "not_found"
	case http.StatusConflict:
		return "conflict"
	case http.StatusGone:
		return "gone"
	case http.StatusServiceUnavailable:
		return "unavailable"
	default:
		return "internal"
	}
}
