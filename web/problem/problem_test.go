package problem_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/problem"
)

func TestEveryKindHasItsStatus(t *testing.T) {
	for kind, status := range map[fault.Kind]int{
		fault.Invalid: 400, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.Refused: 403, fault.NotFound: 404, fault.Conflict: 409,
		fault.Busy: 409, fault.Gone: 410, fault.TooLarge: 413, fault.TooMany: 429, fault.Unprocessable: 422, fault.Unavailable: 503,
		fault.Timeout: 504, fault.ProviderFailed: 502, fault.Internal: 500, "unheard of": 500,
	} {
		if got := problem.Status(kind); got != status {
			t.Errorf("%s: %d, want %d", kind, got, status)
		}
	}
}

func TestCausesStayInside(t *testing.T) {
	const secret = "password=hunter2"
	for name, c := range map[string]struct {
		err    error
		detail string
		id     bool
	}{
		"unclassed":         {errors.New(secret), "Something went wrong on our side.", true},
		"internal, classed": {fault.Internal.Errorf(secret), "Something went wrong on our side.", true},
		"wrapped":           {fault.Unavailable.Wrap(errors.New(secret), "The store is away."), "The store is away.", true},
		"caller's own":      {fault.Invalid.Errorf("The name is taken.").WithFields(fault.Field{Path: "/name", Reason: "taken"}), "The name is taken.", false},
	} {
		var log bytes.Buffer
		w := httptest.NewRecorder()
		problem.Answer(w, httptest.NewRequest("GET", "/", nil), slog.New(slog.NewJSONHandler(&log, nil)), c.err)
		var p problem.Problem
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil {
			t.Fatal(name, err)
		}
		if strings.Contains(w.Body.String(), secret) || p.Detail != c.detail || (p.ErrorID != "") != c.id || p.Status != w.Code {
			t.Errorf("%s: %s", name, w.Body)
		}
		if c.id && (!strings.Contains(log.String(), p.ErrorID) || !strings.Contains(log.String(), secret)) {
			t.Errorf("%s: the log does not have it: %s", name, &log)
		}
		if w.Header().Get("Content-Type") != problem.MediaType {
			t.Error(name, w.Header())
		}
	}
}
