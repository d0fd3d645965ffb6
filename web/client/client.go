package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// patience is how long one answer may take when the caller's context has no deadline of its own; moving the clock may take longer.
const (
	patience      = time.Minute
	clockPatience = 15 * time.Minute
)

// biggest is the largest answer that is read, in bytes.
const biggest = 64 << 20

// Client speaks to one market. It is safe for concurrent use.
type Client struct {
	base, token string
	http        *http.Client
}

// Place says where to look: names or ids, empty for the only one that the caller sees.
type Place struct{ Org, Project string }

// New makes a client for the market at address (such as "https://market.example.com"), with a bearer token; "" asks as nobody.
func New(address, token string) *Client {
	return &Client{base: strings.TrimRight(address, "/"), token: token, http: &http.Client{}}
}

// Address is where the market is.
func (c *Client) Address() string { return c.base }

func (p Place) query() url.Values {
	q := url.Values{}
	if p.Org != "" {
		q.Set("org", p.Org)
	}
	if p.Project != "" {
		q.Set("project", p.Project)
	}
	return q
}

// path joins escaped segments under /api/v1.
func path(segments ...string) string {
	var b strings.Builder
	b.WriteString("/api/v1")
	for _, s := range segments {
		b.WriteString("/" + url.PathEscape(s))
	}
	return b.String()
}

// get reads an answer into a T.
func get[T any](ctx context.Context, c *Client, path string, q url.Values) (T, error) {
	return call[T](ctx, c, http.MethodGet, path, q, nil)
}

// post sends a body and reads an answer into a T.
func post[T any](ctx context.Context, c *Client, path string, body any) (T, error) {
	return call[T](ctx, c, http.MethodPost, path, nil, body)
}

func call[T any](ctx context.Context, c *Client, method, path string, q url.Values, body any) (T, error) {
	var out T
	raw, err := c.do(ctx, method, path, q, body)
	if err != nil || len(raw) == 0 {
		return out, err
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, fmt.Errorf("the answer of %s %s is not what was expected: %w", method, path, err)
	}
	return out, nil
}

// bounded gives ctx a deadline unless it has one.
func bounded(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, d)
}

// do sends one request and gives the body of a good answer; any other is an *Error.
func (c *Client) do(ctx context.Context, method, path string, q url.Values, body any) ([]byte, error) {
	ctx, cancel := bounded(ctx, patience)
	defer cancel()
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("the request cannot be written: %w", err)
		}
		in = bytes.NewReader(raw)
	}
	address := c.base + path
	if len(q) > 0 {
		address += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, in)
	if err != nil {
		return nil, fmt.Errorf("the address %q cannot be used: %w", c.base, err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return c.send(req)
}

// unreached says that nobody answers, without the request's line that net/http puts before the cause.
func unreached(base string, err error) error {
	var transport *url.Error
	if errors.As(err, &transport) {
		err = transport.Err
	}
	return &Unreached{Address: base, Cause: err}
}

func (c *Client) send(req *http.Request) ([]byte, error) {
	req.Header.Set("Accept", "application/json, */*;q=0.1")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, unreached(c.base, err)
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, biggest))
	if err != nil {
		return nil, fmt.Errorf("the answer of %s broke off: %w", c.base, err)
	}
	if resp.StatusCode >= http.StatusMultipleChoices {
		return nil, readError(resp.StatusCode, raw)
	}
	return raw, nil
}
