package osb

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/sutlerhq/sutler/catalog"
)

func TestNormal(t *testing.T) {
	for name, c := range map[string]struct {
		kind        catalog.Kind
		given, more string
	}{
		"ours":            {"postgresql", `{"uri":"postgres://u:p@h:1/d","host":"h","port":1,"username":"u","password":"p","database":"d"}`, `{}`},
		"an address":      {"postgresql", `{"uri":"postgres://u:p%40@h:1/d?x=y"}`, `{"host":"h","port":"1","username":"u","password":"p@","database":"d"}`},
		"another name":    {"rabbitmq", `{"url":"amqp://u:p@h:1/v"}`, `{"uri":"amqp://u:p@h:1/v","host":"h","port":"1","username":"u","password":"p","vhost":"v"}`},
		"parts":           {"mysql", `{"hostname":"h","port":3306,"user":"u","password":"p/","name":"x","db":"d"}`, `{"host":"h","username":"u","database":"d","uri":"mysql://u:p%2F@h:3306/d"}`},
		"unknown kind":    {"other", `{"hostname":"h","port":"1"}`, `{"host":"h"}`},
		"nothing":         {"other", `{}`, `{}`},
		"an API key":      {"other", `{"api_key":"k","nested":{"a":1}}`, `{}`},
		"no address":      {"postgresql", `{"uri":"see the manual"}`, `{}`},
		"odd types":       {"postgresql", `{"uri":7,"host":["a"],"port":null,"user":true}`, `{}`},
		"a web address":   {"other", `{"url":"https://api.example.com/v1"}`, `{"uri":"https://api.example.com/v1","host":"api.example.com"}`},
		"an IPv6 address": {"redis", `{"host":"::1","port":6379,"password":"p"}`, `{"uri":"redis://:p@[::1]:6379"}`},
	} {
		var given, want map[string]any
		if err := json.Unmarshal([]byte(c.given), &given); err != nil {
			t.Fatal(err)
		}
		_ = json.Unmarshal([]byte(c.given), &want)
		if err := json.Unmarshal([]byte(c.more), &want); err != nil {
			t.Fatal(err)
		}
		if got := normal(given, c.kind); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
