package broker

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

// How long what consumers report is kept, and after how long without a word one counts as gone.
const (
	latencyKept    = 24 * time.Hour
	consumerMissed = 3 * time.Minute
)

// Consumer is a running process of an app, as it reported itself. Times are wall time.
type Consumer struct {
	ID, App, Host, Version string // Version names the environment it was started with
	StartedAt, SeenAt      time.Time
	Current                bool // its environment is the one that the app has now
}

// Probe is what a consumer is asked to measure: the address that its app was given.
type Probe struct {
	Binding, Alias, Instance string // binding id, alias, instance name
	Address, Protocol        string // host:port; as latency.Target
}

// Measurement is how far a binding's backend was from a consumer.
type Measurement struct {
	Binding        string
	Connect, First time.Duration
}

// Join writes down that a process of the app has started on a host, and says what it shall measure. It needs what reading the app's
// environment needs.
func (b *Broker) Join(ctx context.Context, who identity.Principal, app identity.Scope, host string) (Consumer, []Probe, error) {
	if err := may(who, identity.CredentialsRead, app, fault.NotFound.Errorf("There is no app %q.", app.App)); err != nil {
		return Consumer{}, nil, err
	}
	if host == "" || len(host) > 255 {
		return Consumer{}, nil, fault.Invalid.Errorf("A consumer's host has 1 to 255 bytes; this one has %d.", len(host))
	}
	rows, err := b.listBindings(ctx, inUse, app.App)
	if err != nil {
		return Consumer{}, nil, err
	}
	now := time.Now()
	row := consumerRow{
		ID: ids.New("con"), App: app.App, Org: app.Org, Project: app.Project, Host: host, Version: versionOf(rows),
		StartedAt: now.UnixMicro(), SeenAt: now.UnixMicro(),
	}
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if err := b.forgetConsumers(ctx, now.Add(-latencyKept)); err != nil {
			return err
		}
		return b.insertConsumer(ctx, &row)
	})
	if err != nil {
		return Consumer{}, nil, err
	}
	probes := make([]Probe, 0, len(rows))
	for _, r := range rows {
		p, ok, err := b.probe(ctx, r)
		if err != nil {
			return Consumer{}, nil, err
		}
		if ok {
			probes = append(probes, p)
		}
	}
	return row.view(row.Version), probes, nil
}

// Report keeps what a consumer measured and says how its app's environment is called now. Measurements of bindings that the app does not
// have (any more) are left out.
func (b *Broker) Report(ctx context.Context, who identity.Principal, id string, measured []Measurement) (Consumer, error) {
	row, err := b.seenConsumer(ctx, who, id)
	if err != nil {
		return Consumer{}, err
	}
	rows, err := b.listBindings(ctx, "app = ? AND state IN ('ready', 'expiring')", row.App)
	if err != nil {
		return Consumer{}, err
	}
	known := map[string]bool{}
	for _, r := range rows {
		known[r.ID] = true
	}
	now := time.Now()
	var keep []latencyRow
	for _, m := range measured {
		if m.Connect < 0 || m.First < m.Connect || m.First > time.Hour {
			return Consumer{}, fault.Invalid.Errorf("A measurement of %s is impossible: connected after %s, answered after %s.", m.Binding, m.Connect, m.First)
		}
		if known[m.Binding] {
			keep = append(keep, latencyRow{m.Binding, now.UnixMicro(), row.ID, m.Connect.Microseconds(), m.First.Microseconds()})
		}
	}
	row.SeenAt = now.UnixMicro()
	err = b.DB.Tx(ctx, func(ctx context.Context) error {
		if len(keep) > 0 {
			if err := b.insertLatencies(ctx, keep, now.Add(-latencyKept)); err != nil {
				return err
			}
		}
		return b.saveConsumer(ctx, row)
	})
	return row.view(versionOf(rows)), err
}

// Leave writes down that a consumer has ended. One that is not there has.
func (b *Broker) Leave(ctx context.Context, who identity.Principal, id string) error {
	if _, err := b.seenConsumer(ctx, who, id); err != nil {
		return err
	}
	return b.DB.Tx(ctx, func(ctx context.Context) error { return b.deleteConsumer(ctx, id) })
}

// Consumers lists the running processes of an app that reported lately, the oldest first.
func (b *Broker) Consumers(ctx context.Context, who identity.Principal, app identity.Scope) ([]Consumer, error) {
	if err := may(who, identity.InstanceRead, app, fault.NotFound.Errorf("There is no app %q.", app.App)); err != nil {
		return nil, err
	}
	rows, err := b.listConsumers(ctx, "app = ? AND seen_at > ?", app.App, time.Now().Add(-consumerMissed).UnixMicro())
	if err != nil {
		return nil, err
	}
	bindings, err := b.listBindings(ctx, inUse, app.App)
	if err != nil {
		return nil, err
	}
	version := versionOf(bindings)
	list := make([]Consumer, 0, len(rows))
	for _, r := range rows {
		list = append(list, r.view(version))
	}
	return list, nil
}

func (b *Broker) seenConsumer(ctx context.Context, who identity.Principal, id string) (consumerRow, error) {
	hidden := fault.NotFound.Errorf("There is no consumer %q.", id)
	rows, err := b.listConsumers(ctx, "id = ?", id)
	if err != nil {
		return consumerRow{}, err
	}
	if len(rows) == 0 {
		return consumerRow{}, hidden
	}
	return rows[0], may(who, identity.CredentialsRead, rows[0].scope(), hidden)
}

func (r consumerRow) view(version string) Consumer {
	return Consumer{
		ID: r.ID, App: r.App, Host: r.Host, Version: r.Version, StartedAt: time.UnixMicro(r.StartedAt).UTC(), SeenAt: time.UnixMicro(r.SeenAt).UTC(),
		Current: r.Version == version,
	}
}

// versionOf names the environment that bindings make: another binding or another alias is another version.
func versionOf(rows []bindingRow) string {
	var text strings.Builder
	for _, r := range rows {
		if r.State == Ready {
			fmt.Fprintf(&text, "%s %s\n", r.ID, r.Alias)
		}
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:6])
}

// probe says what to measure for a binding: the address in its credentials, in the words of its provider's protocol. Not ok: it has none.
func (b *Broker) probe(ctx context.Context, row bindingRow) (p Probe, ok bool, err error) {
	c, err := b.reveal(ctx, row)
	if err != nil {
		return p, false, err
	}
	host, port := c.Values["host"], c.Values["port"]
	if host == nil || port == nil {
		return p, false, nil
	}
	p = Probe{
		Binding: row.ID, Alias: row.Alias, Instance: c.Instance.Name,
		Address: net.JoinHostPort(fmt.Sprint(host), fmt.Sprint(port)), Protocol: b.protocol(ctx, row.Instance),
	}
	return p, true, nil
}

// protocol is what an instance's backend speaks. Where the provider cannot say, the connection alone is measured.
func (b *Broker) protocol(ctx context.Context, instance string) string {
	r, found, err := b.findInstance(ctx, "id = ?", instance)
	if err != nil || !found {
		return "tcp"
	}
	provider, known := b.Providers.Get(r.Provider)
	if !known {
		return "tcp"
	}
	_, plan, _, err := b.sold(ctx, r.Plan)
	if err != nil {
		return "tcp"
	}
	i, err := b.told(ctx, r, plan)
	if err != nil {
		return "tcp"
	}
	target, err := provider.Target(ctx, i)
	if err != nil || target.Protocol == "" {
		return "tcp"
	}
	return target.Protocol
}
