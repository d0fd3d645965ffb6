package outbound

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
)

// Policy says where the client may go.
type Policy struct {
	Allow   []netip.Prefix // allowed although private, loopback or link-local
	Timeout time.Duration  // of a whole exchange; 0 means 30 s
	MaxBody int64          // bytes of an answer; 0 means 10 MiB
	Roots   *x509.CertPool // authorities that are trusted; nil means the machine's
}

const (
	defaultTimeout = 30 * time.Second
	defaultBody    = 10 << 20
	maxHeader      = 64 << 10
	maxRedirects   = 5
)

// Client makes an http.Client that keeps to the policy. A call to a forbidden address fails with fault.Refused, reading an answer
// past MaxBody with fault.TooLarge; both are found with errors.Is through the *url.Error.
func Client(p Policy) *http.Client {
	timeout, body := p.Timeout, p.MaxBody
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	if body <= 0 {
		body = defaultBody
	}
	dial := &net.Dialer{Timeout: min(timeout, 10*time.Second), KeepAlive: 30 * time.Second, Control: p.control}
	return &http.Client{
		Timeout:       timeout,
		CheckRedirect: redirect,
		Transport: &limited{max: body, next: &http.Transport{
			Proxy:                  nil, // a proxy would resolve and dial for us, past the policy
			DialContext:            dial.DialContext,
			ForceAttemptHTTP2:      true,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: p.Roots},
			TLSHandshakeTimeout:    10 * time.Second,
			ResponseHeaderTimeout:  timeout,
			MaxResponseHeaderBytes: maxHeader,
			MaxIdleConnsPerHost:    2,
			MaxIdleConns:           50,
			IdleConnTimeout:        60 * time.Second,
		}},
	}
}

func redirect(r *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fault.Refused.Errorf("The address redirects more than %d times.", maxRedirects)
	}
	if via[len(via)-1].URL.Scheme == "https" && r.URL.Scheme != "https" {
		return fault.Refused.Errorf("The address redirects from https to %s.", r.URL.Scheme)
	}
	return web(r.URL)
}

// web refuses everything that is no plain web address.
func web(u *url.URL) error {
	if u.Scheme != "http" && u.Scheme != "https" {
		return fault.Refused.Errorf("Only http and https addresses may be called, not %q.", u.Scheme)
	}
	if u.Hostname() == "" {
		return fault.Refused.Errorf("The address names no host.")
	}
	return nil
}

// limited checks each request, redirected ones too, and limits each answer.
type limited struct {
	next http.RoundTripper
	max  int64
}

// RoundTrip makes one exchange.
func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := web(r.URL); err != nil {
		return nil, err
	}
	answer, err := l.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if answer.ContentLength > l.max {
		return nil, errors.Join(tooLarge(l.max), answer.Body.Close())
	}
	answer.Body = &cut{ReadCloser: answer.Body, left: l.max, max: l.max}
	return answer, nil
}

// CloseIdleConnections lets http.Client.CloseIdleConnections reach the transport.
func (l *limited) CloseIdleConnections() {
	if t, ok := l.next.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}

// cut fails where io.LimitReader would pretend that the answer ends.
type cut struct {
	io.ReadCloser
	left, max int64
}

// Read reads until the limit, then fails. It asks for one byte more than is left, to tell an answer that just fits from one too long.
func (c *cut) Read(p []byte) (int, error) {
	if c.left < 0 {
		return 0, tooLarge(c.max)
	}
	if int64(len(p))-1 > c.left { // left may be as large as a number can be
		p = p[:c.left+1]
	}
	n, err := c.ReadCloser.Read(p)
	if c.left -= int64(n); c.left < 0 {
		return n - 1, tooLarge(c.max)
	}
	return n, err
}

func tooLarge(limit int64) error {
	return fault.TooLarge.Errorf("The answer is longer than %d bytes.", limit)
}
