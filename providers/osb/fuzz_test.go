package osb

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// FuzzAnswer: whatever an upstream answers, to a question for its catalog, to an order, to a question how far it is: it is judged, what was judged
// is kept and read again, and a wait stays within an hour.
func FuzzAnswer(f *testing.F) {
	for _, body := range []string{
		`{"services":[{"id":"s","name":"db","bindable":true,"plans":[{"id":"p","name":"small","schemas":{"service_instance":{"create":{"parameters":{"type":"object"}}}},"metadata":{"costs":[{"amount":{"usd":9.99},"unit":"MONTHLY"}]}}]}]}`,
		`{"services":[{"id":"s","name":"../ü","plans":[{"id":"p","name":"","maximum_polling_duration":-1}]},{"id":"s"}]}`,
		`{"state":"succeeded","description":"password=x"}`, `{"operation":"x","dashboard_url":"javascript:1"}`, `{"error":"ConcurrencyError"}`,
		`{"credentials":{"uri":"postgres://u:p@h:5432/d"},"metadata":{"expires_at":"soon"}}`, `[]`, `{`, "\x00", `{"services":null}`,
	} {
		f.Add(200, body, "5")
		f.Add(202, body, "-9223372036854775808")
		f.Add(503, body, "Mon, 02 Jan 2006 15:04:05 GMT")
	}
	d := New(Settings{URL: "http://127.0.0.1:1", Prefix: "up-", Currency: "EUR"})
	f.Fuzz(func(t *testing.T, status int, body, retry string) {
		a := answer{status: status, body: []byte(body), header: http.Header{"Retry-After": {retry}}}
		if w := a.retryAfter(); w < 0 || w > time.Hour {
			t.Fatalf("%q is a wait of %s", retry, w)
		}
		var u upstream
		if a.object(&u) && u.check() == nil {
			seen := map[string]bool{}
			for _, o := range d.offerings(&u) {
				if seen[o.Name] || !strings.HasPrefix(o.Name, "up-") {
					t.Fatalf("the name %q", o.Name)
				}
				seen[o.Name] = true
				for _, p := range o.Plans {
					if p.MaxPolling < 0 || p.MaxPolling > 7*24*time.Hour {
						t.Fatalf("a plan may be asked for %s", p.MaxPolling)
					}
				}
			}
		}
		var s state
		later, err := d.made(item{noun: "instance", path: "/v2/service_instances/i"}, &s, a, &struct{}{})
		if k := fault.KindOf(err); err != nil && k == fault.Internal || later && err != nil {
			t.Fatalf("%d: %t %v", status, later, err)
		}
		kept, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readState(kept); err != nil {
			t.Fatalf("%s cannot be read again: %v", kept, err)
		}
	})
}
