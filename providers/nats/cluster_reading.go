package nats

import (
	"context"

	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/providers"
)

// Read gives what went in and out of the account, by server: a server has a new id each time it starts, so its id is its counters' epoch.
// What streams hold counts every replica.
func (c *Cluster) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	account, err := c.account(i.ID)
	if err != nil {
		return nil, err
	}
	if a, err := c.claims(ctx, account.public); err != nil {
		return nil, err
	} else if a == nil {
		return nil, notThere()
	}
	type flow struct{ Msgs, Bytes int64 }
	type page struct {
		Accounts []struct {
			Conns          int64
			Sent, Received flow
		} `json:"account_statz"`
	}
	traffic, err := ask[page](ctx, c, askTraffic, map[string]any{"accounts": []string{account.public}, "include_unused": true})
	if err != nil {
		return nil, err
	}
	stored, err := c.stored(ctx, account.public)
	if err != nil {
		return nil, err
	}
	var list []providers.Reading
	var open int64
	for _, s := range traffic {
		var messages, bytes int64
		for _, a := range s.Data.Accounts {
			messages, bytes, open = messages+a.Sent.Msgs+a.Received.Msgs, bytes+a.Sent.Bytes+a.Received.Bytes, open+a.Conns
		}
		id := s.Server.ID
		list = append(
			list,
			providers.Reading{Metric: "messages", Value: money.FromInt(messages), Type: "counter", Epoch: id, Source: id},
			providers.Reading{Metric: "bytes", Value: money.FromInt(bytes), Type: "counter", Epoch: id, Source: id},
		)
	}
	return append(
		list,
		providers.Reading{Metric: "stored_bytes", Value: money.FromInt(stored), Type: "gauge"},
		providers.Reading{Metric: "connections", Value: money.FromInt(open), Type: "gauge"},
	), nil
}

// stored sums what the account's streams hold on all servers.
func (c *Cluster) stored(ctx context.Context, public string) (sum int64, err error) {
	type page struct {
		Accounts []struct{ Memory, Storage int64 } `json:"account_details"`
	}
	all, err := ask[page](ctx, c, askStreams, map[string]any{"account": public})
	if err != nil {
		return 0, err
	}
	for _, s := range all {
		for _, a := range s.Data.Accounts { // an answer without details is of a server that has no streams of it
			sum += a.Memory + a.Storage
		}
	}
	return sum, nil
}

// Inspect tells whether the servers know the account. Which bindings there are they cannot tell: a login is nowhere but in its app's hands, and
// holds until it is revoked.
func (c *Cluster) Inspect(ctx context.Context, i providers.Instance) (in providers.Inspection, err error) {
	account, err := c.account(i.ID)
	if err != nil {
		return in, err
	}
	a, err := c.claims(ctx, account.public)
	if err != nil || a == nil {
		return in, err
	}
	in.Exists = true
	return in, nil
}

// Accounts lists the accounts that the servers know, whosoever they are.
func (c *Cluster) Accounts(ctx context.Context) ([]string, error) {
	all, err := ask[[]string](ctx, c, listClaims, nil)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var list []string
	for _, s := range all {
		for _, id := range s.Data {
			if !seen[id] {
				seen[id] = true
				list = append(list, id)
			}
		}
	}
	return list, nil
}
