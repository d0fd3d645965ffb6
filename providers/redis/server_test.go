package redis_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/redis"
)

// fleet is a folder of real servers that end with the test.
func fleet(t testing.TB) *local.Fleet {
	t.Helper()
	if testing.Short() {
		t.Skip("short: no servers")
	}
	if err := local.Ensure(t.Context(), "redis"); err != nil {
		t.Fatal(err)
	}
	dir, err := local.Temporary("redis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	f, err := local.OpenFleet(dir, local.FleetOptions{Kind: "redis"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// sharedServer is a server given by its address, with users in a file.
func sharedServer(t testing.TB) string {
	t.Helper()
	f := fleet(t)
	p, err := f.Make(t.Context(), "shared", func(p local.Place) (local.Run, error) {
		program, err := local.Program("redis")
		sum := sha256.Sum256([]byte("admin"))
		users := filepath.Join(p.Data, "users.acl")
		err = errors.Join(err, os.WriteFile(users, fmt.Appendf(nil, "user default off\nuser admin on #%x ~* &* +@all\n", sum), 0o600))
		return local.Run{Program: program, Args: []string{"--port", strconv.Itoa(p.Port), "--bind", "127.0.0.1", "--aclfile", users, "--save", ""}, Stop: syscall.SIGTERM}, err
	})
	if err != nil {
		t.Fatal(err)
	}
	return "redis://admin:admin@" + p.Address
}

func login(ctx context.Context, credentials map[string]any) (providertest.Session, error) {
	a, err := redis.Login(ctx, credentials)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func open(t testing.TB, s redis.Settings) *providers.Provider {
	t.Helper()
	d := redis.New(s)
	t.Cleanup(d.Close)
	return providers.New(providers.Settings{Name: "redis", Failures: 1000}, d, nil)
}

func instance(t testing.TB, h providertest.Harness, id string) (providers.Instance, map[string]any, *redis.App, providers.Binding) {
	t.Helper()
	i := providers.Instance{ID: id, Plan: h.Plan, Params: json.RawMessage(`{}`)}
	if _, err := h.Provider.Provision(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	b := providers.Binding{ID: "bnd_" + id, Seed: []byte("0123456789abcdef" + id)}
	g, _, err := h.Provider.Bind(t.Context(), i, b)
	if err != nil {
		t.Fatal(err)
	}
	s, err := login(t.Context(), g.Credentials)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return i, g.Credentials, s.(*redis.App), b
}
