package osb_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/providers"
)

// BenchmarkOverADirectRequest sets the driver's verbs beside the bare request that does the same at the same upstream.
func BenchmarkOverADirectRequest(b *testing.B) {
	s := upstream(b, map[string][]reply{
		"PUT instance": {{status: 202, body: `{"operation":"1"}`}}, "PUT binding": {{status: 201, body: `{"credentials":{"uri":"postgres://u:p@h:1/d"}}`}},
	})
	d := s.driver()
	i := s.order(d)
	direct := func(b *testing.B, path string) {
		for b.Loop() {
			req, err := http.NewRequestWithContext(b.Context(), http.MethodPut, s.URL+path, strings.NewReader(`{"service_id":"s","plan_id":"p"}`))
			if err != nil {
				b.Fatal(err)
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				b.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
		}
	}
	b.Run("provision/direct", func(b *testing.B) { direct(b, "/v2/service_instances/x") })
	b.Run("provision/driver", func(b *testing.B) {
		for b.Loop() {
			if p, err := d.Provision(b.Context(), i); err != nil || p.Done {
				b.Fatal(fmt.Sprint(p.Note, err))
			}
		}
	})
	b.Run("bind/direct", func(b *testing.B) { direct(b, "/v2/service_instances/x/service_bindings/y") })
	b.Run("bind/driver", func(b *testing.B) {
		for b.Loop() {
			if _, p, err := d.Bind(b.Context(), i, providers.Binding{ID: "bnd_1"}); err != nil || !p.Done {
				b.Fatal(fmt.Sprint(p.Note, err))
			}
		}
	})
}
