// Package latency measures how far a backend is: time to connect and to the first answer of its protocol.
//
// It owns the few bytes that make a server of each protocol say something without a login. It knows no driver and keeps nothing.
package latency

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"
)

// Target is what to measure: a network address and the protocol whose first answer counts.
type Target struct {
	Address  string // host:port
	Protocol string // "tcp", "postgresql", "nats", "redis"…
}

// Sample is one measurement.
type Sample struct {
	Connect time.Duration // until the connection stood, name lookup included
	First   time.Duration // until the first byte of the protocol's answer; for "tcp" the same as Connect
}

// ErrProtocol is given when the server's first answer is not of the target's protocol.
var ErrProtocol = errors.New("the answer is not of the expected protocol")

// hello is what a client says first, how many bytes of the answer tell nothing, and what the byte after them may be.
type hello struct {
	say  string
	skip int
	hear string
}

// greeting finds the hello of a protocol. PostgreSQL is asked whether it speaks TLS, which it answers before it knows who asks;
// NATS speaks first; Redis answers PING with PONG or with a demand to log in; AMQP servers
// answer the protocol's name with a method frame, web servers any request with their own name.
// MySQL speaks first: a packet's head of four bytes, then the protocol's version, 10, or 255 for a refusal.
func greeting(protocol string) (hello, bool) {
	switch protocol {
	case "postgresql":
		return hello{"\x00\x00\x00\x08\x04\xd2\x16\x2f", 0, "SN"}, true
	case "nats":
		return hello{"", 0, "I"}, true
	case "redis":
		return hello{"PING\r\n", 0, "+-"}, true
	case "amqp":
		return hello{"AMQP\x00\x00\x09\x01", 0, "\x01"}, true
	case "http":
		return hello{"HEAD / HTTP/1.1\r\nHost: latency\r\nConnection: close\r\n\r\n", 0, "H"}, true
	case "mysql":
		return hello{"", 4, "\x0a\xff"}, true
	}
	return hello{}, false
}

// Measure connects to the target and waits for its first answer, at most as long as ctx allows. A protocol it does not know is
// measured as far as the connection.
func Measure(ctx context.Context, t Target) (Sample, error) {
	began := time.Now()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		return Sample{}, err
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	s := Sample{Connect: time.Since(began)}
	s.First = s.Connect
	h, ok := greeting(t.Protocol)
	if !ok {
		return s, nil
	}
	if _, err := io.WriteString(conn, h.say); err != nil {
		return s, cause(ctx, err)
	}
	answer := make([]byte, h.skip+1)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return s, cause(ctx, err)
	}
	s.First = time.Since(began)
	for _, c := range []byte(h.hear) {
		if answer[h.skip] == c {
			return s, nil
		}
	}
	return s, fmt.Errorf("%s: %w %s", t.Address, ErrProtocol, t.Protocol)
}

// cause prefers the context's end over the broken read that it led to.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
