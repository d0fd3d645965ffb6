package rabbitmq_test

import (
	"context"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/providertest"
	"github.com/sutlerhq/sutler/providers/rabbitmq"
)

func dial(uri string) (*rabbitmq.App, error) {
	return rabbitmq.Login(context.Background(), map[string]any{"uri": uri})
}

func harness(t *testing.T, management bool) providertest.Harness {
	t.Helper()
	s := server(t)
	open := func() *providers.Provider {
		return providers.New(providers.Settings{Name: "rabbit", Failures: 1000}, rabbitmq.New(rabbitmq.Settings{Server: rabbitmq.At(place(s)), Management: management}), nil)
	}
	p := open()
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	root := administrator(t, s)
	bench := providertest.BenchOf(rabbitmq.Login, rabbitmq.Trespass("http://"+s.Admin), rabbitmq.Cling)
	bench.Lag = rabbitmq.Lag / 2 // this server's connections tell every second
	return providertest.Harness{
		Provider: p, Plan: list[0].Plans[0], Other: list[0].Plans[1],
		Bench:     bench,
		Leftovers: func(context.Context) ([]string, error) { return leftovers(root) },
		Overfill:  providertest.Fill(3 * (4 << 20)), Tight: providertest.Tightened(list[0].Plans[0], "storage_bytes", 4<<20),
		Reopen:  func(context.Context) (*providers.Provider, error) { return open(), nil },
		Reset:   func(ctx context.Context, _ providers.Instance) error { return reset(ctx) },
		Restart: func(ctx context.Context, _ providers.Instance) error { return restartKeeps(ctx, t, driver(s)) },
	}
}

func TestConformance(t *testing.T) {
	h := harness(t, false)
	providertest.Keep(t, "rabbitmq", providertest.ConformTogether(t, 4*time.Minute, h))
}

// The tag changes what a login may see and how it is shut; the rest is the same.
func TestConformanceWithManagement(t *testing.T) {
	h := harness(t, true)
	providertest.ConformTogether(t, 2*time.Minute, h,
		"credentials_complete", "tenants_apart", "trespass_refused", "suspend_keeps", "revoked_clinging", "nothing_left")
}

// The ways in that Trespass expects to be shut are open to the administrator: the attempts themselves are sound.
func TestTrespassFindsWhatIsOpen(t *testing.T) {
	s := server(t)
	root := map[string]any{"vhost": "nowhere", "username": s.User, "password": s.Password}
	for uri, want := range map[string]string{
		"amqp://" + s.User + ":" + s.Password + "@" + s.Address + "/nowhere": "the virtual host /",
		"amqp://nobody:nothing@" + s.Address + "/nowhere":                    "GET users",
	} {
		root["uri"] = uri
		if way, err := rabbitmq.Trespass("http://"+s.Admin)(t.Context(), root, root); err != nil || way != want {
			t.Errorf("the administrator gets in by %q, not by %q: %v", way, want, err)
		}
	}
}
