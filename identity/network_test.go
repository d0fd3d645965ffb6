package identity_test

import (
	"testing"

	"github.com/sutlerhq/sutler/identity"
)

func TestNetwork(t *testing.T) {
	for ip, want := range map[string]string{
		"203.0.113.9":                 "203.0.113.9",
		"::ffff:203.0.113.9":          "203.0.113.9",
		"2001:db8:1:2:3:4:5:6":        "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff:4:5:6":     "2001:db8:1:2::/64",
		"2001:db8:1:3::1":             "2001:db8:1:3::/64",
		"fe80::1%eth0":                "fe80::/64",
		"":                            "",
		"a name that is no address":   "a name that is no address",
		"2001:db8:1:2:3:4:5:6%secret": "2001:db8:1:2::/64",
	} {
		if got := identity.Network(ip); got != want {
			t.Errorf("%s: %s, want %s", ip, got, want)
		}
	}
}
