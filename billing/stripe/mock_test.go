package stripe_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/billing/stripe"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/outbound"
)

// mockVersion speaks the API version that the SDK is pinned to.
const mockVersion = "github.com/stripe/stripe-mock@v0.180.0"

// mock starts Stripe's own mock, which checks every call against the published API: addresses, parameters, types, enums, required fields.
func mock(t *testing.T) string {
	t.Helper()
	address, secure := free(t), free(t)
	run := exec.CommandContext(t.Context(), program(t), "-http-addr", address, "-https-addr", secure) // without the second it listens on all interfaces
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = run.Process.Kill(); _ = run.Wait() })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		var d net.Dialer
		if c, err := d.DialContext(ctx, "tcp", address); err == nil {
			c.Close()
			return "http://" + address
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("stripe-mock does not answer at ", address)
		}
	}
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// program finds stripe-mock in the repository's cache folder, installing it there when it is missing.
func program(t *testing.T) string {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(filepath.Dir(strings.TrimSpace(string(root))), ".cache", "bin")
	path := filepath.Join(bin, "stripe-mock")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	install := exec.CommandContext(t.Context(), "go", "install", mockVersion)
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		if os.Getenv("CI") == "" {
			t.Skipf("stripe-mock is not there and cannot be installed: %v: %s", err, out)
		}
		t.Fatalf("go install %s: %v: %s", mockVersion, err, out)
	}
	return path
}

func client(t *testing.T, url string) *stripe.Stripe {
	t.Helper()
	s, err := stripe.New(stripe.Config{
		Key: "sk_test_123", URL: url, Client: outbound.Client(outbound.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEveryCallIsOneThatStripeKnows(t *testing.T) {
	url := mock(t)
	b := &box{}
	// The mock always comes to 10.00, so an invoice of 10.00 gets through.
	if err := client(t, url).Push(t.Context(), b.delivery(bill("8.40", "1.60", "10.00"))); err != nil {
		t.Fatal(err, fault.Of(err).Unwrap())
	}
	if b.customer == "" || !strings.Contains(b.progress, `"finalized":true`) {
		t.Errorf("%+v", b)
	}
	err := client(t, url).Push(t.Context(), (&box{}).delivery(bill("9.00", "1.71", "10.71")))
	if !errors.Is(err, fault.Unprocessable) || !strings.Contains(err.Error(), "1071") {
		t.Error("another total must be voided and told, got", err)
	}
}

func TestAKeyThatStripeRefusesShowsNowhere(t *testing.T) {
	url := mock(t)
	s, err := stripe.New(stripe.Config{Key: "no_key_of_theirs", URL: url, Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Push(t.Context(), (&box{}).delivery(bill("8.40", "1.60", "10.00")))
	if !errors.Is(err, fault.Unavailable) || strings.Contains(err.Error(), "no_key") {
		t.Error(err)
	}
	if _, err := stripe.New(stripe.Config{}); !errors.Is(err, fault.Invalid) {
		t.Error(err)
	}
}
