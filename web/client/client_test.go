package client_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/web/client"
)

// answering serves one answer to everything and notes what was asked.
func answering(t *testing.T, status int, body string) (*client.Client, *http.Request) {
	t.Helper()
	asked := &http.Request{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = *r
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(s.Close)
	return client.New(s.URL+"/", "sut_x"), asked
}

func TestRefusalsBecomeErrors(t *testing.T) {
	for body, want := range map[string]client.Error{
		`{"code":"conflict","detail":"Taken.","hint":"Choose another.","fields":[{"path":"/name","reason":"taken"}]}`: {
			Status: 409, Code: "conflict", Detail: "Taken.", Hint: "Choose another.", Fields: []client.Field{{Path: "/name", Reason: "taken"}},
		},
		`<html>a proxy's page</html>`: {Status: 409, Code: "conflict", Detail: "The server answered 409 Conflict."},
		``:                            {Status: 409, Code: "conflict", Detail: "The server answered 409 Conflict."},
	} {
		c, _ := answering(t, 409, body)
		_, err := c.Whoami(t.Context())
		got, ok := errors.AsType[*client.Error](err)
		if !ok || got.Error() != want.Error() || got.Code != want.Code || got.Status != want.Status || got.Hint != want.Hint {
			t.Errorf("%s: %#v", body, err)
		}
	}
}

func TestNamesAreEscapedAndTheTokenIsSent(t *testing.T) {
	c, asked := answering(t, 200, `{}`)
	if _, err := c.Instance(t.Context(), client.Place{Org: "a&b"}, "x/../y"); err != nil {
		t.Fatal(err)
	}
	if asked.URL.EscapedPath() != "/api/v1/instances/x%2F..%2Fy" || asked.URL.Query().Get("org") != "a&b" {
		t.Error(asked.URL)
	}
	if asked.Header.Get("Authorization") != "Bearer sut_x" {
		t.Error(asked.Header)
	}
}

func TestNobodyAnswers(t *testing.T) {
	_, err := client.New("http://127.0.0.1:1", "").Whoami(t.Context())
	if _, ok := errors.AsType[*client.Unreached](err); !ok {
		t.Errorf("%#v", err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	if _, err := client.New("http://127.0.0.1:1", "").Whoami(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%#v", err)
	}
}
