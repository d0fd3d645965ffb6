package osb

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
)

// refusedWell fails when bad input gave another error than one that says so.
func refusedWell(t *testing.T, err error) {
	t.Helper()
	if k := fault.KindOf(err); err != nil && k != fault.Invalid && k != fault.TooLarge {
		t.Fatalf("%s: %v", k, err)
	}
}

// What is recorded of an originating identity is one short line of text, whatever was sent.
func FuzzClaimed(f *testing.F) {
	for _, object := range []string{`{"user_id":"u-7"}`, `{"username":"a\nb","groups":["x"],"extra":{"k":["v"]}}`, `{"a":"\u202e\u0007é"}`, `[]`, `null`, "{\"a\":\"\x00\"}", `{"a":1,"a":2}`, `{"x":"` + strings.Repeat("é", 900) + `"}`} {
		f.Add("cloudfoundry " + base64.StdEncoding.EncodeToString([]byte(object)))
	}
	f.Add("")
	f.Add("kubernetes  e30=")
	f.Add("a\tb e30=")
	f.Fuzz(func(t *testing.T, header string) {
		platform, said, err := claimed(header)
		refusedWell(t, err)
		if err != nil && platform+said != "" {
			t.Fatalf("refused, and yet it gave %q %q", platform, said)
		}
		if len(said) > maxKept || !utf8.ValidString(said) || strings.ContainsFunc(said, unicode.IsControl) || !strings.HasPrefix(said, platform) {
			t.Fatalf("%q claims to be from %q", said, platform)
		}
	})
}

// An id that is accepted comes back as the same when it is written into a path again.
func FuzzID(f *testing.F) {
	for _, s := range []string{"i-1", "a%2Fb", "%22q%22", "%E2%82%AC", "%FF", "a%00", "%", "%zz", "+", "a%7Fb", "%C2%85", "%E2%80%A8", "..", strings.Repeat("x", 256)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, encoded string) {
		s, err := id(encoded)
		refusedWell(t, err)
		if err != nil {
			return
		}
		if again, err := id(url.PathEscape(s)); err != nil || again != s || len(s) > maxID || s == "" {
			t.Fatalf("%q became %q and then %q, %v", encoded, s, again, err)
		}
	})
}

func FuzzQuery(f *testing.F) {
	for _, s := range []string{"accepts_incomplete=true", "accepts_incomplete=1&accepts_incomplete=false", "accepts_incomplete=TRUE;x", "a=%zz", "service_id=a%2Fb&plan_id=&plan_id=x", "="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := &http.Request{URL: &url.URL{Path: "/v2/catalog", RawQuery: raw}}
		err := cleanQuery(r)
		refusedWell(t, err)
		if err != nil {
			return
		}
		q, err := url.ParseQuery(r.URL.RawQuery)
		if v := q.Get("accepts_incomplete"); err != nil || v != "" && v != "true" && v != "false" {
			t.Fatalf("%q became %q", raw, r.URL.RawQuery)
		}
	})
}

// The library gets a body that a strict reader takes, with keys in the protocol's own letters alone, and cleaning it again changes nothing.
func FuzzBody(f *testing.F) {
	for _, s := range []string{
		`{"service_id":"s","plan_id":"p","organization_guid":"o","space_guid":"s","context":{"platform":"cloudfoundry"},"parameters":{"Size":1.50e3}}`,
		`{"predecessor_binding_id":"b","bind_resource":{"app_guid":"","App_Guid":"x"}}`, `{"Plan_ID":"x","\u017fervice_id":"y"}`, `{"maintenance_info":{"version":"1"},"previous_values":null}`,
		`{"parameters":null}`, `{"parameters":7}`, `[]`, `{"a":1,"a":2}`, "{\"a\":\"\xff\"}", `{"parameters":{"a":"<&>\u2028"}}`, strings.Repeat("[", 70), `{"bind_resource":[]}`,
	} {
		for kind := range 3 {
			f.Add(kind, []byte(s))
		}
	}
	f.Fuzz(func(t *testing.T, kind int, body []byte) {
		method, path := http.MethodPut, "/v2/service_instances/i"
		switch kind % 3 {
		case 1:
			method = http.MethodPatch
		case 2:
			path += "/service_bindings/b"
		}
		clean := func(body []byte) ([]byte, error) {
			r := httptest.NewRequestWithContext(t.Context(), method, path, bytes.NewReader(body))
			if err := cleanBody(r, &box{}); err != nil {
				return nil, err
			}
			return io.ReadAll(r.Body)
		}
		once, err := clean(body)
		refusedWell(t, err)
		if err != nil {
			return
		}
		if err := strict.JSON(once); err != nil {
			t.Fatalf("%q became %q: %v", body, once, err)
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(once, &object); err != nil || object == nil {
			t.Fatalf("%q became %q", body, once)
		}
		for key := range object {
			if strings.ToLower(key) != key {
				t.Fatalf("the key %q was let through", key)
			}
		}
		if twice, err := clean(once); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q became %q and then %q, %v", body, once, twice, err)
		}
	})
}

// Names that platforms give become ours, or none.
func FuzzNames(f *testing.F) {
	for _, s := range []string{`{"instance_name":"My DB"}`, `{"instance_name":7}`, `{"instance_name":"ÄÖÜ---"}`, `{"instance_name":"` + strings.Repeat("x-", 80) + `"}`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, name := range []string{wished(raw), wishedApp(string(raw)), appName(map[string]json.RawMessage{"bind_resource": raw})} {
			if len(name) > 63 || notInNames.MatchString(name) {
				t.Fatalf("%q became %q", raw, name)
			}
		}
		_ = toldBy(raw)
	})
}
