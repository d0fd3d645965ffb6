package osbtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// upstreamHeader names the broker that a request is for, where one proxy stands before many.
const upstreamHeader = "Sutler-Test-Upstream"

// violationsHeader is where prism says what it found.
const violationsHeader = "Sl-Violations"

// patience is how long prism may take to start on a busy machine.
const patience = 2 * time.Minute

// Proxy is a running prism.
type Proxy struct {
	URL      string // where clients go instead of to the broker
	cmd      *exec.Cmd
	life     io.Closer // prism ends when this does, with the process that holds it
	switcher *httptest.Server
}

// Violation is one thing that prism found to be against the document.
type Violation struct {
	Location []string `json:"location"` // "request" or "response", then the place within
	Severity string   `json:"severity"`
	Code     any      `json:"code"`
	Message  string   `json:"message"`
}

func (v Violation) String() string { return strings.Join(v.Location, ".") + ": " + v.Message }

// OfResponse tells whether the broker is to blame, not the client.
func (v Violation) OfResponse() bool { return len(v.Location) > 0 && v.Location[0] == "response" }

// Root is the folder of the module that the test runs in.
func Root() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", errors.New("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}

// Tool gives the path of an installed program of scripts/prism. The error says how to install it.
func Tool(name string) (string, error) {
	root, err := Root()
	if err != nil {
		return "", err
	}
	path := filepath.Join(root, ".cache", "prism", "node_modules", ".bin", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("%s is not installed: run scripts/prepare.sh (%w)", name, err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "", fmt.Errorf("node is not installed: run scripts/prepare.sh (%w)", err)
	}
	return path, nil
}

// Start puts prism before one broker. Strict answers a request or an answer that violates the document with an error of prism's own; otherwise
// everything passes and Violations tells.
func Start(broker string, strict bool) (*Proxy, error) {
	prism, err := Tool("prism")
	if err != nil {
		return nil, err
	}
	root, err := Root()
	if err != nil {
		return nil, err
	}
	args := []string{
		"-c", `"$@" </dev/null & p=$!; cat >/dev/null; kill $p; wait $p`, "prism",
		prism, "proxy", "-h", "127.0.0.1", "-p", "0", "--errors=" + fmt.Sprint(strict), filepath.Join(root, "docs", "osb-openapi.yaml"), broker,
	}
	p := &Proxy{cmd: exec.CommandContext(context.Background(), "sh", args...)}
	if p.life, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	if p.URL, err = address(out); err != nil {
		p.Stop()
		return nil, err
	}
	return p, nil
}

// StartForMany puts one prism, which is not strict, before many brokers: Send says for each request which one is meant.
func StartForMany() (*Proxy, error) {
	s := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		to, err := url.Parse(r.In.Header.Get(upstreamHeader))
		if err != nil || to.Host == "" {
			to = &url.URL{Scheme: "http", Host: "127.0.0.1:1"} // nobody listens there: 502
		}
		r.Out.Header.Del(upstreamHeader)
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = to.Scheme, to.Host, ""
		r.Out.URL.RawQuery = r.In.URL.RawQuery
	}})
	p, err := Start(s.URL, false)
	if err != nil {
		s.Close()
		return nil, err
	}
	p.switcher = s
	return p, nil
}

// shared is the one proxy of a test binary. It ends with the process, which holds its standard input.
var shared = sync.OnceValues(StartForMany)

// Shared gives the one proxy of a test binary, which stands before many brokers and is not strict: starting prism takes seconds.
func Shared() (*Proxy, error) { return shared() }

// address waits until prism says where it listens; what it says afterwards is thrown away.
func address(out io.Reader) (string, error) {
	type found struct {
		url string
		err error
	}
	at := make(chan found, 1)
	go func() {
		var said strings.Builder
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			if _, rest, ok := strings.Cut(lines.Text(), "Prism is listening on "); ok {
				at <- found{url: strings.TrimSpace(rest)}
				_, _ = io.Copy(io.Discard, out)
				return
			}
			said.WriteString(lines.Text() + "\n")
		}
		at <- found{err: fmt.Errorf("prism ended: %s", said.String())}
	}()
	select {
	case f := <-at:
		return f.url, f.err
	case <-time.After(patience):
		return "", fmt.Errorf("prism did not listen within %s", patience)
	}
}

// Stop ends prism.
func (p *Proxy) Stop() {
	_ = p.life.Close()
	_ = p.cmd.Wait()
	if p.switcher != nil {
		p.switcher.Close()
	}
}

// Send sends a request that was made for a broker through the proxy and tells what it found.
func (p *Proxy) Send(r *http.Request) (*http.Response, []Violation, error) {
	to, err := url.Parse(p.URL)
	if err != nil {
		return nil, nil, err
	}
	through := r.Clone(r.Context())
	through.Header.Set(upstreamHeader, r.URL.Scheme+"://"+r.URL.Host)
	through.URL.Scheme, through.URL.Host, through.Host = to.Scheme, to.Host, ""
	res, err := http.DefaultClient.Do(through)
	if err != nil {
		return nil, nil, err
	}
	found, err := Violations(res.Header)
	return res, found, err
}

// Violations reads what prism found from an answer that came through it.
func Violations(h http.Header) (list []Violation, err error) {
	text := h.Get(violationsHeader)
	if text == "" {
		return nil, nil
	}
	if strings.HasPrefix(text, "Too many") { // and cut off
		return []Violation{{Location: []string{"response"}, Message: text}}, nil
	}
	return list, json.Unmarshal([]byte(text), &list)
}
