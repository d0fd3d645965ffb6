// Package problem translates faults once for HTTP: a status, a title, and the body of application/problem+json (RFC 9457).
//
// It owns that one table. It does not own pages' looks or the API's schemas: both are made from a Problem.
package problem

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// Problem is what a caller is told about a fault.
type Problem struct {
	Type    string        `json:"type"`
	Title   string        `json:"title"`
	Status  int           `json:"status"`
	Detail  string        `json:"detail"`
	Code    string        `json:"code"`               // the kind of fault, stable, for programs
	Hint    string        `json:"hint,omitempty"`     // the next step
	Fields  []fault.Field `json:"fields,omitempty"`   // what was wrong where
	ErrorID string        `json:"error_id,omitempty"` // under which the log has more
}

// MediaType is the content type of a problem's body.
const MediaType = "application/problem+json"

type meaning struct {
	status int
	title  string
}

// table is the one translation. A kind that is missing counts as Internal.
var table = map[fault.Kind]meaning{
	fault.Invalid:         {http.StatusBadRequest, "The request is not right"},
	fault.Unauthenticated: {http.StatusUnauthorized, "Sign in first"},
	fault.Forbidden:       {http.StatusForbidden, "Not allowed"},
	fault.Refused:         {http.StatusForbidden, "Refused by a policy"},
	fault.NotFound:        {http.StatusNotFound, "Not found"},
	fault.Conflict:        {http.StatusConflict, "Conflict"},
	fault.Busy:            {http.StatusConflict, "Another operation is running"},
	fault.Gone:            {http.StatusGone, "Gone"},
	fault.TooLarge:        {http.StatusRequestEntityTooLarge, "Too large"},
	fault.TooMany:         {http.StatusTooManyRequests, "Too many requests"},
	fault.Unprocessable:   {http.StatusUnprocessableEntity, "Not possible now"},
	fault.Unavailable:     {http.StatusServiceUnavailable, "Not available now"},
	fault.Timeout:         {http.StatusGatewayTimeout, "It took too long"},
	fault.ProviderFailed:  {http.StatusBadGateway, "The provider failed"},
	fault.Internal:        {http.StatusInternalServerError, "Something went wrong on our side"},
}

// Status is the HTTP status of a kind.
func Status(k fault.Kind) int { return of(k).status }

func of(k fault.Kind) meaning {
	if m, ok := table[k]; ok {
		return m
	}
	return table[fault.Internal]
}

// Of translates err. What broke on our side, or below it, gets an error ID, and its cause goes to the log under that ID; the text that the
// caller gets never comes from an unclassed error.
func Of(ctx context.Context, log *slog.Logger, err error) Problem {
	f := fault.Of(err)
	m := of(f.Kind)
	p := Problem{Type: "about:blank", Title: m.title, Status: m.status, Detail: f.Text, Code: string(f.Kind), Hint: f.Hint, Fields: f.Fields}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return p // the caller went away: nobody's fault
	}
	if f.Kind == fault.Internal {
		p.Detail, p.Hint, p.Fields = "Something went wrong on our side.", "Tell the operator the error id.", nil
	}
	if m.status >= http.StatusInternalServerError {
		p.ErrorID = ids.New("err")
		level := slog.LevelError
		if f.Kind == fault.Unavailable { // a part that is away makes one line a request, and is told of by /readyz and the metrics
			level = slog.LevelWarn
		}
		log.LogAttrs(ctx, level, "fault", slog.String("error_id", p.ErrorID), slog.String("kind", string(f.Kind)),
			slog.String("text", f.Text), slog.Any("cause", f.Unwrap()))
	}
	return p
}

// Write answers with the problem as JSON.
func (p Problem) Write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", MediaType)
	w.Header().Set("Cache-Control", "no-store")
	if p.Status == http.StatusUnauthorized && w.Header().Get("WWW-Authenticate") == "" {
		w.Header().Set("WWW-Authenticate", `Bearer realm="sutler"`)
	}
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller may have gone; there is nobody left to tell
}

// Answer translates err and answers with it.
func Answer(w http.ResponseWriter, r *http.Request, log *slog.Logger, err error) {
	Of(r.Context(), log, err).Write(w)
}
