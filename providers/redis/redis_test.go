package redis_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/redis"
)

func plans(t testing.TB, p *providers.Provider) providertest.Harness {
	t.Helper()
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	h := providertest.Harness{Provider: p, Plan: list[0].Plans[0], Bench: providertest.BenchOf(redis.Login, redis.Trespass, redis.Cling)}
	if len(list[0].Plans) > 1 {
		h.Other = list[0].Plans[1]
	}
	return h
}

func own(t testing.TB) providertest.Harness {
	f := fleet(t)
	settings := redis.Settings{Servers: f}
	h := plans(t, open(t, settings))
	h.Leftovers = func(context.Context) (list []string, err error) {
		entries, err := os.ReadDir(f.Dir())
		for _, e := range entries {
			list = append(list, e.Name())
		}
		return list, err
	}
	h.Reopen = func(context.Context) (*providers.Provider, error) { return open(t, settings), nil }
	h.Reset = func(ctx context.Context, i providers.Instance) error { return resetCounters(ctx, f, i.ID) }
	h.Restart = func(ctx context.Context, i providers.Instance) error {
		return f.Restart(ctx, providers.Name("rd", i.ID), nil)
	}
	return h
}

// administrator opens a connection of the market's own user to an instance's own server.
func administrator(ctx context.Context, f *local.Fleet, instance string) (*client.Client, error) {
	p, err := f.Server(ctx, providers.Name("rd", instance))
	if err != nil {
		return nil, err
	}
	password, err := p.Kept("admin")
	return client.NewClient(&client.Options{Addr: p.Address, Username: "sutler", Password: string(password)}), err
}

// resetCounters lets an instance's own server begin its statistics anew.
func resetCounters(ctx context.Context, f *local.Fleet, instance string) error {
	c, err := administrator(ctx, f, instance)
	if err != nil {
		return err
	}
	defer c.Close()
	return c.ConfigResetStat(ctx).Err()
}

func shared(t testing.TB) providertest.Harness {
	address := sharedServer(t)
	settings := redis.Settings{Shared: func() (string, error) { return address, nil }}
	h := plans(t, open(t, settings))
	h.Other = h.Plan
	o, err := client.ParseURL(address)
	if err != nil {
		t.Fatal(err)
	}
	admin := client.NewClient(o)
	t.Cleanup(func() { admin.Close() })
	h.Leftovers = func(ctx context.Context) ([]string, error) {
		users, err := admin.ACLList(ctx).Result()
		keys, err2 := admin.Keys(ctx, "*").Result()
		return append(users, keys...), errors.Join(err, err2)
	}
	h.Reopen = func(context.Context) (*providers.Provider, error) { return open(t, settings), nil }
	return h
}

func TestConformance(t *testing.T) {
	for name, make := range map[string]func(testing.TB) providertest.Harness{"own": own, "shared": shared} {
		t.Run(name, func(t *testing.T) {
			h := make(t)
			providertest.Keep(t, "redis, "+name, providertest.Conform(t, 2*time.Minute, func(*testing.T) providertest.Harness { return h }))
		})
	}
}
