package issuer

import (
	"fmt"
	"testing"
	"time"
)

// hand is a clock that is set by hand.
type hand struct{ at time.Time }

func (h *hand) Now() time.Time { return h.at }

func TestGuessesAreBounded(t *testing.T) {
	clk := &hand{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for name, c := range map[string]struct {
		guess func(n int) (ip, email string)
		most  int
	}{
		"one account, one address":       {func(int) (string, string) { return "203.0.113.9", "root@example.com" }, 10},
		"one account, however written":   {func(n int) (string, string) { return "203.0.113.9", fmt.Sprintf("%*s", n, "ROOT@example.com") }, 10},
		"many accounts, one address":     {func(n int) (string, string) { return "203.0.113.9", fmt.Sprint(n, "@example.com") }, 30},
		"many accounts, one IPv6 net":    {func(n int) (string, string) { return fmt.Sprintf("2001:db8::%x", n), fmt.Sprint(n, "@example.com") }, 30},
		"one account, many addresses":    {func(n int) (string, string) { return fmt.Sprintf("203.0.%d.%d", n/250, n%250), "root@example.com" }, 100},
		"many accounts, many addresses":  {func(n int) (string, string) { return fmt.Sprintf("203.0.%d.%d", n/250, n%250), fmt.Sprint(n) }, 500},
		"one account, many IPv6 subnets": {func(n int) (string, string) { return fmt.Sprintf("2001:db8:0:%x::1", n), "root@example.com" }, 100},
	} {
		a, passed := newAttempts(clk), 0
		for n := range 500 {
			if a.allow(c.guess(n)) {
				passed++
			}
		}
		if passed != c.most {
			t.Errorf("%s: %d passed, want %d", name, passed, c.most)
		}
	}
}

func TestTheOwnerIsNotShutOutFromAfar(t *testing.T) {
	clk := &hand{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	a := newAttempts(clk)
	a.succeeded("198.51.100.7", "Root@example.com")
	for n := range 500 {
		a.allow(fmt.Sprintf("203.0.%d.%d", n/250, n%250), "root@example.com")
	}
	if a.allow("192.0.2.1", "root@example.com") {
		t.Fatal("the account's limit does not hold")
	}
	if !a.allow("198.51.100.7", "root@example.com") {
		t.Fatal("an address that signed in before is shut out")
	}
	clk.at = clk.at.Add(30 * time.Second)
	if !a.allow("192.0.2.1", "root@example.com") {
		t.Fatal("the account does not rest")
	}
}

func TestWhatIsRememberedIsBounded(t *testing.T) {
	a := newAttempts(&hand{time.Unix(0, 0)})
	for n := range maxTracked + 10 {
		ip, email := fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255), fmt.Sprint(n)
		a.allow(ip, email)
		a.succeeded(ip, email)
	}
	for _, n := range []int{len(a.pair.seen), len(a.address.seen), len(a.account.seen), len(a.known)} {
		if n > maxTracked {
			t.Fatal(n)
		}
	}
}
