package nats_test

import (
	"bufio"
	"encoding/json"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/nats"
)

// The ways in that Trespass expects to be shut are open to whoever has a login of the same account: the attempts themselves are sound.
func TestTrespassFindsWhatIsOpen(t *testing.T) {
	given := one(t).connect(t)
	_, theirs := sold(t, given)
	g, _, err := given.Bind(t.Context(), providers.Instance{ID: "ins_" + t.Name()}, providers.Binding{ID: "bnd_2", Seed: []byte(strings.Repeat("b", 32))})
	must(t, 0, err)
	for name, mine := range map[string]map[string]any{"itself": theirs, "a neighbour": g.Credentials} {
		if way, err := nats.Trespass(t.Context(), mine, theirs); err != nil || way != "hearing >" {
			t.Errorf("%s gets in by %q: %v", name, way, err)
		}
	}
}

// A limit of zero is none, and nothing that the server takes for "as much as you like".
func TestNoneOfSomethingIsNotUnlimited(t *testing.T) {
	embedded, given := start(t, nats.Settings{}), one(t).connect(t)
	list, err := embedded.Offerings(t.Context())
	must(t, 0, err)
	for limit, try := range map[string]func(js jetstream.JetStream) error{
		"streams": func(js jetstream.JetStream) error {
			_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "one", MaxBytes: 1 << 16})
			return err
		},
		"storage_bytes": func(js jetstream.JetStream) error {
			_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "one", MaxBytes: 1 << 16})
			return err
		},
		"memory_bytes": func(js jetstream.JetStream) error {
			_, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "one", MaxBytes: 1 << 16, Storage: jetstream.MemoryStorage})
			return err
		},
		"consumers": func(js jetstream.JetStream) error {
			s, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "one", MaxBytes: 1 << 16})
			if err == nil {
				_, err = s.CreateConsumer(t.Context(), jetstream.ConsumerConfig{Durable: "one"})
			}
			return err
		},
	} {
		for form, d := range map[string]providers.Driver{"embedded": embedded, "given": given} {
			t.Run(limit+"/"+form, func(t *testing.T) {
				plan := list[0].Plans[0]
				plan.Limits = catalog.Limits{"connections": 10, "subscriptions": 100, "storage_bytes": 1 << 20, "memory_bytes": 1 << 20, "streams": 5, "consumers": 5, "payload_bytes": 1 << 16}
				plan.Limits[limit] = 0
				i := providers.Instance{ID: "ins_none_" + limit, Plan: plan}
				_, err := d.Provision(t.Context(), i)
				must(t, 0, err)
				g, _, err := d.Bind(t.Context(), i, providers.Binding{ID: "bnd_none_" + limit, Seed: make([]byte, 32)})
				must(t, 0, err)
				conn, err := nats.Dial(g.Credentials)
				must(t, 0, err)
				defer conn.Close()
				js, err := jetstream.New(conn)
				must(t, 0, err)
				if err := try(js); err == nil {
					t.Errorf("a plan with no %s has as many as one likes", limit)
				}
			})
		}
	}
}

// A login that was revoked stays so for whoever tries again and again, after a restart of the servers too.
func TestRevokedStaysRevokedOverARestart(t *testing.T) {
	g := one(t)
	c := g.connect(t)
	i, credentials := sold(t, c)
	conn, err := nats.Dial(credentials)
	must(t, 0, err)
	_, err = c.Unbind(t.Context(), i, providers.Binding{ID: "bnd_1", Seed: make([]byte, 32)})
	must(t, 0, err)
	await(t, "end of the connection", conn.IsClosed)
	g.restart(t)
	if conn, err := nats.Dial(credentials); err == nil {
		conn.Close()
		t.Error("a restart of the server let a revoked login in again")
	}
	kept, _, err := c.Bind(t.Context(), i, providers.Binding{ID: "bnd_2", Seed: []byte(strings.Repeat("k", 32))})
	for err != nil && t.Context().Err() == nil { // our own connection comes back by itself
		kept, _, err = c.Bind(t.Context(), i, providers.Binding{ID: "bnd_2", Seed: []byte(strings.Repeat("k", 32))})
	}
	must(t, 0, err)
	other, err := nats.Dial(kept.Credentials)
	must(t, 0, err)
	other.Close()
}

// The server inside the process listens for clients alone: no leaf nodes, gateways, routes, web sockets, MQTT or monitoring.
func TestTheEmbeddedServerHasOneDoor(t *testing.T) {
	d := start(t, nats.Settings{})
	_, credentials := bound(t, d)
	conn, err := net.Dial("tcp", d.Address())
	must(t, 0, err)
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	must(t, 0, err)
	var info map[string]any
	must(t, 0, json.Unmarshal([]byte(strings.TrimPrefix(line, "INFO ")), &info))
	if info["server_id"] == nil {
		t.Fatalf("it says %s", line)
	}
	for _, door := range []string{"leafnode_urls", "ws_connect_urls", "gateway", "cluster", "connect_urls"} {
		if info[door] != nil {
			t.Errorf("it tells of %s: %v", door, info[door])
		}
	}
	in, err := nats.Dial(credentials)
	must(t, 0, err)
	defer in.Close()
	if _, err := in.Request("$SYS.REQ.SERVER.PING.VARZ", nil, 100*time.Millisecond); err == nil {
		t.Error("a tenant reads the server's settings")
	}
}
