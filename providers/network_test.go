package providers_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

func TestNetworks(t *testing.T) {
	n := providers.Networks{
		"default": {Address: "db.example.com:5432", TLS: "verify-full"},
		"private": {Address: "10.0.0.7:5432", TLS: "disable"},
	}
	for params, want := range map[string]string{
		``: "db.example.com:5432", `{}`: "db.example.com:5432", `{"network":"default"}`: "db.example.com:5432", `{"network":"private"}`: "10.0.0.7:5432",
	} {
		if got, err := n.Of(json.RawMessage(params)); err != nil || got.Address != want {
			t.Errorf("%s: %+v %v, want %s", params, got, err, want)
		}
	}
	for _, params := range []string{`{"network":"moon"}`, `{"network":7}`, `{`} {
		if _, err := n.Of(json.RawMessage(params)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", params, err)
		}
	}
	if got := string(n.Schema()); !strings.Contains(got, `["default","private"]`) {
		t.Errorf("schema %s", got)
	}
	if got := (providers.Networks{"default": {}}).Schema(); got != nil {
		t.Errorf("one network leaves a choice: %s", got)
	}
	if got, err := providers.Networks(nil).Of(nil); err != nil || got != (providers.Network{}) {
		t.Errorf("none configured: %+v %v", got, err)
	}
}
