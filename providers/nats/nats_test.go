package nats_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/nats"
	"github.com/sutlerhq/sutler/providers/providertest"
)

func start(t testing.TB, s nats.Settings) *nats.Driver {
	t.Helper()
	if s.Dir == "" {
		s.Dir = t.TempDir()
	}
	d, err := nats.Start(s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return d
}

func login(ctx context.Context, credentials map[string]any) (providertest.Session, error) {
	a, err := nats.Login(ctx, credentials)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func provider(t testing.TB, d *nats.Driver) *providers.Provider {
	t.Helper()
	p := providers.New(providers.Settings{Name: "nats", Failures: 1000}, d, nil)
	if err := p.Probe(t.Context()); err != nil || p.Status() != providers.Up {
		t.Fatalf("%s: %v", p.Status(), err)
	}
	return p
}

// reopened is a driver that another process took over from.
type reopened struct{ *nats.Driver }

func harness(t *testing.T) providertest.Harness {
	t.Helper()
	dir := t.TempDir()
	d := start(t, nats.Settings{Dir: dir})
	now := &reopened{d}
	again := func() error {
		if err := now.Stop(); err != nil {
			return err
		}
		now.Driver = start(t, nats.Settings{Dir: dir})
		return nil
	}
	p := providers.New(providers.Settings{Name: "nats", Failures: 1000}, now, nil)
	list, err := p.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return providertest.Harness{
		Provider: p, Plan: list[0].Plans[0], Other: list[0].Plans[1], Bench: providertest.BenchOf(nats.Login, nats.Trespass, nats.Cling),
		Leftovers: func(context.Context) ([]string, error) {
			var names []string
			for _, glob := range []string{"accounts/*", "logins/*", "store/jetstream/*"} {
				found, err := filepath.Glob(filepath.Join(dir, glob))
				if err != nil {
					return nil, err
				}
				names = append(names, found...)
			}
			return names, nil
		},
		Reopen: func(context.Context) (*providers.Provider, error) { // the process ends and comes back on the same folder
			if err := again(); err != nil {
				return nil, err
			}
			return provider(t, now.Driver), nil
		},
		Restart: func(context.Context, providers.Instance) error { return again() }, // the server is the process
	}
}

func TestConformance(t *testing.T) {
	providertest.Keep(t, "nats, embedded", providertest.Conform(t, time.Minute, harness))
}

func TestTwoServersInOneProcess(t *testing.T) {
	east, west := start(t, nats.Settings{Offering: "nats"}), start(t, nats.Settings{Offering: "nats-west"})
	if east.Address() == west.Address() {
		t.Fatal("one address for two servers")
	}
	list, err := west.Offerings(t.Context())
	if err != nil || list[0].Name != "nats-west" {
		t.Errorf("%+v %v", list, err)
	}
	_, c := bound(t, east)
	if _, err := natsgo.Connect(strings.Replace(c["uri"].(string), east.Address(), west.Address(), 1)); err == nil {
		t.Error("a login of one server opens the other")
	}
}

// bound makes an instance of the smallest plan and a binding.
func bound(t testing.TB, d *nats.Driver) (providers.Instance, map[string]any) {
	t.Helper()
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := providers.Instance{ID: "ins_" + strings.ReplaceAll(t.Name(), "/", "_"), Plan: list[0].Plans[0], Params: []byte(`{}`)}
	if _, err := d.Provision(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	g, _, err := d.Bind(t.Context(), i, providers.Binding{ID: "bnd_1", Seed: make([]byte, 32)})
	if err != nil {
		t.Fatal(err)
	}
	return i, g.Credentials
}

func TestRestartKeepsAddressLoginsAndStreams(t *testing.T) {
	dir := t.TempDir()
	d := start(t, nats.Settings{Dir: dir})
	_, c := bound(t, d)
	s, err := login(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), "kept", "yes"); err != nil {
		t.Fatal(err)
	}
	s.Close()
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	start(t, nats.Settings{Dir: dir})
	s, err = login(t.Context(), c) // the same environment as before
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Get(t.Context(), "kept"); err != nil || got != "yes" {
		t.Errorf("%q %v", got, err)
	}
}

func TestFolderInUse(t *testing.T) {
	dir := t.TempDir()
	start(t, nats.Settings{Dir: dir})
	if d, err := nats.Start(nats.Settings{Dir: dir}); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("two servers on one folder: %v, %v", d, err)
	}
}

func TestLimitsHold(t *testing.T) {
	d := start(t, nats.Settings{})
	i, c := bound(t, d)
	var open []*natsgo.Conn
	for range i.Plan.Limits["connections"] {
		conn, err := natsgo.Connect(c["uri"].(string), natsgo.NoReconnect())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		open = append(open, conn)
	}
	if one, err := natsgo.Connect(c["uri"].(string), natsgo.NoReconnect()); err == nil {
		one.Close()
		t.Error("one connection more than the plan allows")
	}
	js, err := jetstream.New(open[0])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "big", MaxBytes: i.Plan.Limits["storage_bytes"] + 1}); err == nil {
		t.Error("a stream larger than the plan allows")
	}
}

func TestReadings(t *testing.T) {
	dir := t.TempDir()
	d := start(t, nats.Settings{Dir: dir})
	i, c := bound(t, d)
	conn, err := natsgo.Connect(c["uri"].(string))
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if err := conn.Publish("x", []byte("12345")); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	first := read(t, d, i)
	for deadline := time.Now().Add(10 * time.Second); first["messages"].Value.String() != "10" && time.Now().Before(deadline); {
		first = read(t, d, i) // the server counts what it read after it has answered it
	}
	if got := first["messages"].Value.String(); got != "10" {
		t.Errorf("%s messages", got)
	}
	if got := first["bytes"].Value.String(); got != "50" {
		t.Errorf("%s bytes", got)
	}
	if got := first["connections"].Value.String(); got != "1" {
		t.Errorf("%s connections", got)
	}
	conn.Close()
	if err := d.Stop(); err != nil {
		t.Fatal(err)
	}
	after := read(t, start(t, nats.Settings{Dir: dir}), i)
	if after["messages"].Epoch == first["messages"].Epoch {
		t.Error("counters began again in the same epoch")
	}
}

func read(t testing.TB, d *nats.Driver, i providers.Instance) map[string]providers.Reading {
	t.Helper()
	list, err := d.Read(t.Context(), i)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]providers.Reading{}
	for _, r := range list {
		m[r.Metric] = r
	}
	return m
}

func TestHowLongItTakes(t *testing.T) {
	began := time.Now()
	d := start(t, nats.Settings{})
	up := time.Since(began)
	list, err := d.Offerings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var provision, bind, revoke, dead time.Duration
	const rounds = 20
	for n := range rounds {
		i := providers.Instance{ID: "ins_" + string(rune('a'+n)), Plan: list[0].Plans[0]}
		b := providers.Binding{ID: "bnd_" + string(rune('a'+n)), Seed: make([]byte, 32)}
		t0 := time.Now()
		if _, err := d.Provision(t.Context(), i); err != nil {
			t.Fatal(err)
		}
		t1 := time.Now()
		g, _, err := d.Bind(t.Context(), i, b)
		if err != nil {
			t.Fatal(err)
		}
		t2 := time.Now()
		closed := make(chan struct{})
		conn, err := natsgo.Connect(g.Credentials["uri"].(string), natsgo.NoReconnect(), natsgo.ClosedHandler(func(*natsgo.Conn) { close(closed) }))
		if err != nil {
			t.Fatal(err)
		}
		t3 := time.Now()
		if _, err := d.Unbind(t.Context(), i, b); err != nil {
			t.Fatal(err)
		}
		t4 := time.Now()
		<-closed
		provision, bind, revoke, dead = provision+t1.Sub(t0), bind+t2.Sub(t1), revoke+t4.Sub(t3), dead+time.Since(t3)
		conn.Close()
	}
	providertest.KeepTimings(t, "nats, embedded",
		providertest.Timing{Verb: "start of the server", Mean: up, Rounds: 1},
		providertest.Timing{Verb: "provision", Mean: provision / rounds, Note: "the server has no command: an account is a signed file", Rounds: rounds},
		providertest.Timing{Verb: "bind", Mean: bind / rounds, Rounds: rounds},
		providertest.Timing{Verb: "unbind", Mean: revoke / rounds, Note: "the open connection was dead after " + (dead / rounds).String(), Rounds: rounds})
}
