package osb

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/pivotal-cf/brokerapi/v10/domain/apiresponses"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// versionCode marks the one fault that is 412; it is no word of the protocol and is not shown.
const versionCode = "version"

// conventional gives the descriptions that the protocol writes beside its own codes: a client of Kubernetes knows those errors by both, letter by
// letter.
func conventional(code string) string {
	switch code {
	case "AsyncRequired":
		return "This service plan requires client support for asynchronous service operations."
	case "ConcurrencyError":
		return "The Service Broker does not support concurrent requests that mutate the same resource."
	case "RequiresApp":
		return "This service supports generation of credentials through binding an application only."
	}
	return ""
}

// failure is an error's body.
type failure struct {
	Error       string `json:"error,omitempty"`
	Description string `json:"description"`
}

// status gives the protocol's code for a fault.
func status(f *fault.Fault) int {
	switch f.Kind {
	case fault.Invalid:
		if f.Code == versionCode {
			return http.StatusPreconditionFailed
		}
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Gone:
		return http.StatusGone
	case fault.Busy, fault.Unprocessable, fault.Refused:
		return http.StatusUnprocessableEntity
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	case fault.Timeout:
		return http.StatusGatewayTimeout
	case fault.ProviderFailed:
		return http.StatusBadGateway
	}
	return http.StatusInternalServerError
}

// public gives the fault as a platform may see it: one without a kind gets an id that the log has too.
func (c Config) public(err error) *fault.Fault {
	f := fault.Of(err)
	if f.Kind == fault.Internal && errors.Is(err, context.Canceled) { // the platform has hung up: nothing is wrong on our side
		f = fault.Unavailable.Errorf("The request was broken off; what was accepted goes on.")
	}
	if f.Kind == fault.Internal {
		id := ids.New("err")
		c.Log.Error("osb", "id", id, "err", errors.Unwrap(f), "fault", f.Text)
		f = fault.Internal.Errorf("Something went wrong on our side (%s).", id)
	}
	text := f.Text
	for _, field := range f.Fields {
		if !strings.Contains(text, strings.TrimSpace(field.Path+" "+field.Reason)) { // a text often says the first one itself
			text += " " + cmp.Or(field.Path, "The whole of it") + " " + field.Reason + "."
		}
	}
	shown := *f
	shown.Text = text
	return &shown
}

// refuse answers a request that does not reach the library.
func (d *door) refuse(w http.ResponseWriter, r *http.Request, err error) {
	f := d.public(err)
	code := f.Code
	if code == versionCode {
		code = ""
	}
	send(w, status(f), encode(failure{Error: code, Description: f.Text}))
}

// answer gives an error in the only form that the library passes on unharmed.
func (s *server) answer(err error) error {
	if err == nil {
		return nil
	}
	f := s.public(err)
	if f.Kind == fault.Busy && f.Code == "" {
		f.Code = "ConcurrencyError"
	}
	f.Text = cmp.Or(conventional(f.Code), f.Text)
	b := apiresponses.NewFailureResponseBuilder(f, status(f), string(f.Kind))
	if f.Kind == fault.Gone {
		b = b.WithEmptyResponse()
	}
	return b.WithErrorKey(f.Code).Build()
}
