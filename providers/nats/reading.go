package nats

import (
	"context"
	"errors"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// Read gives what went in and out of the account since the server started (its id is the counters' epoch), what its streams hold,
// and how many are connected.
func (d *Driver) Read(_ context.Context, i providers.Instance) ([]providers.Reading, error) {
	key, err := d.keys.account(i.ID)
	if err != nil {
		return nil, err
	}
	if _, err := d.claims(key.public); errors.Is(err, server.ErrMissingAccount) {
		return nil, notThere()
	}
	account, err := d.server.LookupAccount(key.public)
	if err != nil {
		return nil, err
	}
	z, err := d.server.AccountStatz(&server.AccountStatzOptions{Accounts: []string{key.public}, IncludeUnused: true})
	if err != nil {
		return nil, err
	}
	var messages, bytes int64
	for _, a := range z.Accounts {
		messages += a.Sent.Msgs + a.Received.Msgs
		bytes += a.Sent.Bytes + a.Received.Bytes
	}
	used := account.JetStreamUsage()
	stored := int64(min(used.Memory+used.Store, 1<<62)) //nolint:gosec // bounded on the same line
	return []providers.Reading{
		{Metric: "messages", Value: money.FromInt(messages), Type: "counter", Epoch: d.server.ID()},
		{Metric: "bytes", Value: money.FromInt(bytes), Type: "counter", Epoch: d.server.ID()},
		{Metric: "stored_bytes", Value: money.FromInt(stored), Type: "gauge"},
		{Metric: "connections", Value: money.FromInt(int64(account.NumLocalConnections())), Type: "gauge"},
	}, nil
}

// Inspect tells whether the account is there, and lists its bindings, those without a connection too.
func (d *Driver) Inspect(_ context.Context, i providers.Instance) (providers.Inspection, error) {
	in := providers.Inspection{Sessions: map[string]int{}}
	key, err := d.keys.account(i.ID)
	if err != nil {
		return in, err
	}
	if _, err = d.claims(key.public); errors.Is(err, server.ErrMissingAccount) {
		return in, nil
	}
	if err != nil {
		return in, err
	}
	in.Exists = true
	logins, err := d.folder.loginsOf(key.public)
	if err != nil {
		return in, err
	}
	for _, l := range logins {
		open, err := d.connections(key.public, l.Name)
		if err != nil {
			return in, err
		}
		in.Sessions[l.Binding] = len(open)
	}
	return in, nil
}

// Target is the address that apps are given.
func (d *Driver) Target(context.Context, providers.Instance) (latency.Target, error) {
	return latency.Target{Address: d.usual().Address, Protocol: "nats"}, nil
}
