package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/outbound"
)

func TestCheck(t *testing.T) {
	for _, a := range strings.Fields(`127.0.0.1 127.1.2.3 0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.254 169.254.169.254 169.254.0.1 172.16.0.1 172.31.255.255
 192.168.0.1 192.0.0.1 192.0.2.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255 192.88.99.1
 :: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 fe80::1 fe80::1%eth0 fec0::1 fc00::1 fd00:ec2::254 ff02::1 2001:db8::1 2002:7f00:1:: 2001:0:7f00:1::
 64:ff9b::127.0.0.1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 100::1 3fff::1 5f00::1`) {
		if err := (outbound.Policy{}).Check(netip.MustParseAddr(a)); !errors.Is(err, fault.Refused) {
			t.Errorf("%s: %v", a, err)
		}
	}
	for _, a := range strings.Fields(`1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.1.1 169.253.1.1 223.255.255.255 2606:4700::1111 64:ff9b::1.1.1.1 ::ffff:1.1.1.1`) {
		if err := (outbound.Policy{}).Check(netip.MustParseAddr(a)); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
	p := outbound.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16")}}
	for a, ok := range map[string]bool{"10.1.2.3": true, "::ffff:10.1.2.3": true, "64:ff9b::10.1.2.3": true, "10.2.0.1": false, "127.0.0.1": false} {
		if err := p.Check(netip.MustParseAddr(a)); ok != (err == nil) {
			t.Errorf("%s: %v", a, err)
		}
	}
}

// Every way to write an inner address must end before a connection is made: the server counts who reached it.
func TestInnerAddressesAreNeverReached(t *testing.T) {
	var reached atomic.Int64
	l, err := net.Listen("tcp", ":0") // all addresses of this machine, both families
	if err != nil {
		t.Fatal(err)
	}
	s := &httptest.Server{Listener: l, Config: &http.Server{ConnState: func(_ net.Conn, c http.ConnState) {
		if c == http.StateNew {
			reached.Add(1)
		}
	}}}
	s.Start()
	defer s.Close()
	port := l.Addr().(*net.TCPAddr).Port
	c := outbound.Client(outbound.Policy{Timeout: 2 * time.Second})
	hosts := strings.Fields(`127.0.0.1 127.1.2.3 localhost LOCALHOST localhost. 0.0.0.0 0x7f.1 0177.0.0.1 2130706433 127.1 0 [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1]
 [0:0:0:0:0:0:0:1] [::127.0.0.1] [64:ff9b::7f00:1] 169.254.169.254 10.0.0.1 172.16.0.1 192.168.1.1 100.64.0.1 [fe80::1%25lo] [fd00::1] user@127.0.0.1 example.com:80@127.0.0.1 example.com%2f@127.0.0.1
 127.0.0.1%00.example.com 127。0。0。1 ①②⑦.0.0.1`)
	for _, h := range hosts {
		answer, err := c.Get(fmt.Sprintf("http://%s:%d/latest/meta-data", h, port))
		if err == nil {
			answer.Body.Close()
			t.Errorf("%s was reached", h)
		}
	}
	for _, u := range []string{
		"file:///etc/passwd", "gopher://127.0.0.1:70/_x", "unix:///var/run/docker.sock", "ftp://127.0.0.1/", "ws://127.0.0.1/", "javascript:alert(1)",
		"data:text/plain,x", "http://", "http:///path", "//127.0.0.1/", "dict://127.0.0.1:11211/stat", "ldap://127.0.0.1/", "http+unix://%2Ftmp%2Fs/",
	} {
		if answer, err := c.Get(u); err == nil {
			answer.Body.Close()
			t.Errorf("%s was called", u)
		}
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("%d connections were made", n)
	}
	if _, err := c.Get(fmt.Sprintf("http://127.0.0.1:%d/", port)); !errors.Is(err, fault.Refused) {
		t.Errorf("not Refused: %v", err)
	}
}

func TestProxyOfTheEnvironmentIsNotUsed(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "direct") }))
	defer s.Close()
	answer, err := loopback(0).Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
}

// loopback may call 127.0.0.1 only: the tests' "outside".
func loopback(limit int64) *http.Client {
	return outbound.Client(outbound.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, MaxBody: limit, Timeout: 5 * time.Second})
}

func TestRedirects(t *testing.T) {
	var inner atomic.Int64
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Fatal(err)
	}
	secret := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { inner.Add(1) })}}
	secret.Start()
	defer secret.Close()
	for name, to := range map[string]string{
		"inner address": secret.URL, "file": "file:///etc/passwd", "metadata": "http://169.254.169.254/latest", "itself for ever": "/", "no host": "http:///x",
	} {
		for _, code := range []int{301, 302, 303, 307, 308} {
			s := httptest.NewServer(http.RedirectHandler(to, code))
			answer, err := loopback(0).Get(s.URL)
			if err == nil {
				answer.Body.Close()
			}
			if !errors.Is(err, fault.Refused) {
				t.Errorf("%s, %d: %v", name, code, err)
			}
			s.Close()
		}
	}
	if inner.Load() != 0 {
		t.Error("a redirect led inside")
	}
	good := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/there", http.StatusFound)
		}
	}))
	defer good.Close()
	answer, err := loopback(0).Get(good.URL)
	if err != nil || answer.Request.URL.Path != "/there" {
		t.Fatal("a good redirect was not followed", err)
	}
	answer.Body.Close()
}

func TestDowngradeIsRefused(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	s := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer s.Close()
	c := loopback(0)
	// only the rule about redirects is under test: the certificate is the test server's own
	c.Transport = s.Client().Transport
	if _, err := c.Get(s.URL); !errors.Is(err, fault.Refused) || !strings.Contains(err.Error(), "from https to http") {
		t.Error(err)
	}
}

func TestBodyLimit(t *testing.T) {
	for _, c := range []struct {
		name    string
		size    int
		chunked bool
		zip     bool
		ok      bool
	}{
		{"just fits", 1000, false, false, true},
		{"just fits, no length", 1000, true, false, true},
		{"one too many", 1001, false, false, false},
		{"one too many, no length", 1001, true, false, false},
		{"packed bomb", 10 << 20, false, true, false},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			body := bytes.Repeat([]byte("x"), c.size)
			if c.zip {
				w.Header().Set("Content-Encoding", "gzip")
				z := gzip.NewWriter(w)
				_, _ = z.Write(body)
				_ = z.Close()
				return
			}
			if c.chunked {
				w.(http.Flusher).Flush()
			}
			_, _ = w.Write(body)
		}))
		answer, err := loopback(1000).Get(s.URL)
		var got []byte
		if err == nil {
			got, err = io.ReadAll(answer.Body)
			answer.Body.Close()
		}
		if c.ok != (err == nil) || err != nil && !errors.Is(err, fault.TooLarge) || c.ok && len(got) != c.size || len(got) > 1000 {
			t.Errorf("%s: %d bytes, %v", c.name, len(got), err)
		}
		s.Close()
	}
}

func TestSilentServerTimesOut(t *testing.T) {
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	defer s.Close()
	defer close(done)
	c := outbound.Client(outbound.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}, Timeout: 50 * time.Millisecond})
	_, err := c.Get(s.URL)
	var late interface{ Timeout() bool }
	if !errors.As(err, &late) || !late.Timeout() && !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}
