package latency_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers/latency"
)

// serve answers every connection with say after it heard n bytes.
func serve(t *testing.T, n int, say string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.ReadFull(c, make([]byte, n))
				_, _ = io.WriteString(c, say)
				_, _ = io.Copy(io.Discard, c)
				c.Close()
			}()
		}
	}()
	return l.Addr().String()
}

func TestMeasure(t *testing.T) {
	for name, c := range map[string]struct {
		protocol string
		hears    int
		says     string
		want     error
	}{
		"tcp":            {"tcp", 1, "", nil},
		"unknown is tcp": {"carrier-pigeon", 1, "", nil},
		"postgresql":     {"postgresql", 8, "N", nil},
		"nats":           {"nats", 0, "INFO {}\r\n", nil},
		"mysql":          {"mysql", 0, "\x4a\x00\x00\x00\x0a5.5.5", nil},
		"no mysql":       {"mysql", 0, "INFO {}\r\n", latency.ErrProtocol},
		"redis":          {"redis", 6, "-NOAUTH\r\n", nil},
		"wrong protocol": {"postgresql", 8, "HTTP/1.1 400", latency.ErrProtocol},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := latency.Measure(t.Context(), latency.Target{Address: serve(t, c.hears, c.says), Protocol: c.protocol})
			if !errors.Is(err, c.want) {
				t.Fatalf("%v, want %v", err, c.want)
			}
			if s.Connect <= 0 || s.First < s.Connect {
				t.Fatalf("%+v", s)
			}
		})
	}
}

func TestMeasureGivesUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := latency.Measure(ctx, latency.Target{Address: serve(t, 0, ""), Protocol: "nats"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a silent server: %v", err)
	}
}

func TestMeasureAsksMySQLForALoginBeforeItLeaves(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan []byte, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_, _ = io.WriteString(c, "\x4a\x00\x00\x00\x0a5.5.5-10.11")
		head := make([]byte, 4)
		if _, err := io.ReadFull(c, head); err != nil {
			heard <- nil
			return
		}
		packet := make([]byte, int(head[0])|int(head[1])<<8|int(head[2])<<16)
		_, _ = io.ReadFull(c, packet)
		heard <- append(head, packet...)
		_, _ = io.WriteString(c, "\x02\x00\x00\x02\xff\x15\x04")
	}()
	if _, err := latency.Measure(t.Context(), latency.Target{Address: l.Addr().String(), Protocol: "mysql"}); err != nil {
		t.Fatal(err)
	}
	said := <-heard
	if len(said) != 4+48 || said[3] != 1 || !bytes.Contains(said, []byte("latency-sutler\x00\x00")) {
		t.Fatalf("it left with % x, which the server counts as a broken connection", said)
	}
}
