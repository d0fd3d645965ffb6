package local

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// started is a server of either kind, twice from one folder: it must come back at its address, and be gone after Stop.
func started(t *testing.T, start func(ctx context.Context, dir string) (*Server, error)) {
	t.Helper()
	dir := folder(t)
	var address, admin string
	for range 2 {
		began := time.Now()
		s, err := start(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("ready after %s", time.Since(began))
		if address != "" && (s.Address != address || s.Admin != admin) {
			t.Errorf("moved from %s and %s to %s and %s", address, admin, s.Address, s.Admin)
		}
		address, admin = s.Address, s.Admin
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			t.Error("it answers after its end")
		}
	}
}

func TestRabbitMQStartsStopsAndStartsAgain(t *testing.T) {
	folder(t)
	if err := Ensure(t.Context(), "rabbitmq"); err != nil {
		t.Fatal(err)
	}
	quick := true // the first end is an abrupt one, the second a clean one
	started(t, func(ctx context.Context, dir string) (*Server, error) {
		defer func() { quick = false }()
		return RabbitMQ(ctx, dir, "secret", quick)
	})
}

func TestS3StartsStopsAndStartsAgain(t *testing.T) {
	folder(t)
	if err := InstallS3(t.Context(), filepath.Join("..", "..", ".cache", "bin")); err != nil {
		t.Fatal(err)
	}
	started(t, func(ctx context.Context, dir string) (*Server, error) { return S3(ctx, dir, "secret-of-the-root") })
	if _, err := S3(t.Context(), folder(t), ""); err == nil || !strings.Contains(err.Error(), "ended at its start") {
		t.Errorf("without a secret: %v", err)
	}
}
