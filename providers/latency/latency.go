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
	"strings"
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

// hello is what a client says first, how many bytes of the answer tell nothing, what the byte after them may be, and what is said before leaving.
type hello struct {
	say  string
	skip int
	hear string
	bye  string
}

// A MySQL server counts a client that leaves after its greeting as a broken one, and shuts its host out after a hundred of them. One that is refused its
// login is none: so we ask for one, of an account that nobody has. 0x8200: protocol 4.1, four bytes of packet limit, character set 33.
const noAccount = "\x30\x00\x00\x01" + "\x00\x82\x00\x00" + "\x00\x00\x00\x01" + "\x21" +
	"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "latency-sutler\x00" + "\x00"

// byePatience is how long a server may take to answer the last word.
const byePatience = time.Second

// greeting finds the hello of a protocol. PostgreSQL is asked whether it speaks TLS, which it answers before it knows who asks;
// NATS speaks first; Redis answers PING with PONG or with a demand to log in; AMQP servers
// answer the protocol's name with a method frame, web servers any request with their own name.
// MySQL speaks first: a packet's head of four bytes, then the protocol's version, 10, or 255 for a refusal.
func greeting(protocol string) (hello, bool) {
	switch protocol {
	case "postgresql":
		return hello{say: "\x00\x00\x00\x08\x04\xd2\x16\x2f", hear: "SN"}, true
	case "nats":
		return hello{hear: "I"}, true
	case "redis":
		return hello{say: "PING\r\n", hear: "+-"}, true
	case "amqp":
		return hello{say: "AMQP\x00\x00\x09\x01", hear: "\x01"}, true
	case "http":
		return hello{say: "HEAD / HTTP/1.1\r\nHost: latency\r\nConnection: close\r\n\r\n", hear: "H"}, true
	case "mysql":
		return hello{skip: 4, hear: "\x0a\xff", bye: noAccount}, true
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
	if strings.IndexByte(h.hear, answer[h.skip]) < 0 {
		return s, fmt.Errorf("%s: %w %s", t.Address, ErrProtocol, t.Protocol)
	}
	leave(conn, h)
	return s, nil
}

// leave ends the talk as the protocol wants it. What comes of it is nothing to us: the measuring is over.
func leave(conn net.Conn, h hello) {
	if h.bye == "" {
		return
	}
	_ = conn.SetDeadline(time.Now().Add(byePatience))
	if _, err := io.WriteString(conn, h.bye); err == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(conn, 4096)) // the rest of the greeting and the refusal, after which it hangs up
	}
}

// cause prefers the context's end over the broken read that it led to.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
