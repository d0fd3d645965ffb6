package signin

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// Inside gives a client that reaches the issuer at url by calling its handler. So our own sign-in works whatever stands before the market:
// TLS, a proxy, an address that this machine itself cannot reach. Every other address is refused.
func Inside(url string, handler http.Handler) *http.Client {
	return &http.Client{Timeout: 20 * time.Second, Transport: inside{strings.TrimSuffix(url, "/") + "/", handler}}
}

var errOutside = errors.New("signin: this client reaches our own issuer alone")

type inside struct {
	prefix  string
	handler http.Handler
}

// RoundTrip answers from the handler.
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.String(), i.prefix) {
		return nil, errOutside
	}
	in := r.Clone(r.Context())
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI, in.RemoteAddr = r.URL.RequestURI(), "127.0.0.1:0"
	w := &answer{header: http.Header{}, status: http.StatusOK}
	i.handler.ServeHTTP(w, in)
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// answer keeps what a handler writes.
type answer struct {
	header http.Header
	status int
	wrote  bool
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	if !a.wrote {
		a.status, a.wrote = status, true
	}
}

func (a *answer) Write(b []byte) (int, error) {
	a.wrote = true
	return a.body.Write(b)
}
