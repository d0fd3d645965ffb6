package rabbitmq

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/url"
	"strings"

	rabbithole "github.com/michaelklishin/rabbit-hole/v2"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// counted is what the management plugin has counted for a virtual host since the server started.
type counted struct {
	Received int64 `json:"recv_oct"`
	Sent     int64 `json:"send_oct"`
	Messages struct {
		Published int64 `json:"publish"`
	} `json:"message_stats"`
}

// Read gives messages published and bytes over the wire, as the management plugin has counted them, and what is kept and open now. The
// plugin learns of a connection's work every few seconds and forgets everything when the server restarts, which begins a new epoch.
func (d *Driver) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	s, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	v := vhostOf(i.ID)
	epoch, err := s.epoch()
	if err != nil {
		return nil, classed(err)
	}
	var c counted
	if err := s.ask(http.MethodGet, "vhosts/"+url.PathEscape(v), &c); err != nil {
		if missing(err) {
			return nil, notThere()
		}
		return nil, classed(err)
	}
	open, err := s.ListVhostConnections(v)
	if err != nil {
		return nil, classed(err)
	}
	kept, err := s.stored(v)
	if err != nil {
		return nil, classed(err)
	}
	return []providers.Reading{
		{Metric: "messages", Value: money.FromInt(c.Messages.Published), Type: "counter", Epoch: epoch},
		{Metric: "bytes", Value: money.FromInt(c.Received + c.Sent), Type: "counter", Epoch: epoch},
		{Metric: "storage_bytes", Value: money.FromInt(kept), Type: "gauge"},
		{Metric: "connections", Value: money.FromInt(int64(len(open))), Type: "gauge"},
	}, nil
}

// stored sums the bytes of all messages in a virtual host's queues.
func (s session) stored(vhost string) (int64, error) {
	queues, err := s.ListQueuesWithParametersIn(vhost, url.Values{"columns": {"name,message_bytes"}})
	var sum int64
	for _, q := range queues {
		sum += q.MessagesBytes
	}
	return sum, err
}

// marker is a virtual host of ours that holds one thing only: an exchange that a restart of the server loses, as the counters are lost.
const marker, started = "sutler", "started"

// epoch names the time since the server started. The first to ask after a start names it; the exchange that stands is the truth, whoever
// else tried.
func (s session) epoch() (string, error) {
	for range 2 {
		at, err := s.GetExchange(marker, started)
		if err == nil {
			if name, ok := at.Arguments["epoch"].(string); ok {
				return name, nil
			}
			return "", errors.New("the marker of the server's start names no epoch")
		}
		if !missing(err) {
			return "", err
		}
		if err := s.mark(); err != nil {
			return "", err
		}
	}
	return "", fault.Unavailable.Errorf("The marker of the server's start cannot be made; it is tried again.")
}

func (s session) mark() error {
	if err := ended(s.PutVhost(marker, rabbithole.VhostSettings{Description: "knows when the server started"})); err != nil {
		return err
	}
	mine := rabbithole.Permissions{Configure: started, Write: "^$", Read: "^$"}
	if err := ended(s.UpdatePermissionsIn(marker, s.Username, mine)); err != nil {
		return err
	}
	return ended(s.DeclareExchange(marker, started, rabbithole.ExchangeSettings{Type: "fanout", Arguments: map[string]any{"epoch": rand.Text()}}))
}

// Watch tells whether all messages together have passed the plan's storage. One queue alone cannot: the operator policy holds it.
func (d *Driver) Watch(ctx context.Context, i providers.Instance) ([]providers.Excess, error) {
	allowed, ok := i.Plan.Limits[limitStorage]
	if !ok {
		return nil, nil
	}
	s, err := d.session(ctx)
	if err != nil {
		return nil, err
	}
	used, err := s.stored(vhostOf(i.ID))
	switch {
	case missing(err):
		return nil, notThere()
	case err != nil:
		return nil, classed(err)
	case used <= allowed:
		return nil, nil
	}
	return []providers.Excess{{Limit: limitStorage, Allowed: allowed, Used: used}}, nil
}

// Inspect tells whether the virtual host is there, and lists its bindings with their open connections.
func (d *Driver) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	in := providers.Inspection{Sessions: map[string]int{}}
	s, err := d.session(ctx)
	if err != nil {
		return in, err
	}
	v := vhostOf(i.ID)
	if in.Exists, err = s.made(v); err != nil || !in.Exists {
		return in, classed(err)
	}
	var labels []rabbithole.TopicPermissionInfo
	if err := s.ask(http.MethodGet, "vhosts/"+url.PathEscape(v)+"/topic-permissions", &labels); err != nil {
		return in, classed(err)
	}
	for _, l := range labels {
		binding, ours := strings.CutPrefix(l.Exchange, labelled)
		if !ours {
			continue
		}
		open, err := s.connections(l.User)
		if err != nil {
			return in, classed(err)
		}
		in.Sessions[binding] = len(open)
	}
	return in, nil
}

// Probe asks the server who the administrator is.
func (d *Driver) Probe(ctx context.Context) error {
	s, err := d.session(ctx)
	if err != nil {
		return err
	}
	_, err = s.Whoami()
	return classed(err)
}

// Target is the address that apps are given. Where AMQP speaks TLS the connection alone is measured.
func (d *Driver) Target(context.Context, providers.Instance) (latency.Target, error) {
	server, err := d.settings.Server()
	if err != nil {
		return latency.Target{}, err
	}
	usual := d.settings.usual(server)
	t := latency.Target{Address: usual.Address, Protocol: "amqp"}
	if usual.Encrypted() {
		t.Protocol = "tcp"
	}
	return t, nil
}
