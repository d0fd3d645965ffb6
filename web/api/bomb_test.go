package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/identity"
)

// manyKeys is an object of n different keys.
func manyKeys(n int) string {
	b := []byte{'{'}
	for i := range n {
		b = append(strconv.AppendInt(append(b, '"'), int64(i), 36), `":0,`...)
	}
	return string(append(b, `"z":0}`...))
}

// Bodies that are made to hurt are refused before anybody works on them, in few words.
func TestBombs(t *testing.T) {
	s := door(t, identity.Principal{Kind: identity.Person, ID: "per_1"})
	for name, c := range map[string]struct {
		params string
		status int
	}{
		"deep arrays":       {strings.Repeat("[", 500_000), 400},
		"deep objects":      {strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000), 400},
		"a key twice":       {`{"a":1,"\u0061":2}`, 400},
		"a million keys":    {manyKeys(1_000_000), 413},
		"a megabyte of 9s":  {`{"a":` + strings.Repeat("9", 1_000_000) + `}`, 400},
		"a gigantic number": {`{"a":1e999999999}`, 400},
		"invalid UTF-8":     {"{\"a\":\"\xff\xfe\"}", 400},
		"a NUL":             {`{"a":"\u0000"}`, 400},
		"a raw control":     {"{\"a\":\"a\x01b\"}", 400},
		"half a surrogate":  {`{"a":"\ud800"}`, 400},
	} {
		t.Run(name, func(t *testing.T) {
			for _, r := range [][3]string{
				{"POST", "/api/v1/instances", `{"want":"fake","params":` + c.params + `}`},
				{"PATCH", "/api/v1/instances/x", `{"params":` + c.params + `}`},
				{"POST", "/api/v1/bindings", `{"instance":"x","app":"y","params":` + c.params + `}`},
				{"POST", "/usage/events", `{"specversion":"1.0","id":"1","source":"s","type":"m","subject":"i","time":"2026-11-01T00:00:00Z","data":` + c.params + `}`},
			} {
				kind, want := "application/json", c.status
				if strings.HasPrefix(r[1], "/usage") {
					kind = "application/cloudevents+json"
				}
				status, p := ask(t, s, r[0], r[1], kind, r[2])
				if status != want || len(p.Error()) > 2000 {
					t.Errorf("%s %s: %d %.300s, want %d", r[0], r[1], status, p.Error(), want)
				}
			}
		})
	}
	for _, path := range []string{"/api/v1/instances/" + strings.Repeat("x", 9000), "/api/v1/instances/%00", "/api/v1/instances/%FF"} {
		status, _ := ask(t, door(t, identity.Principal{}), http.MethodGet, path, "", "")
		if status < 400 || status >= 500 {
			t.Errorf("%.60s: %d", path, status)
		}
	}
}
