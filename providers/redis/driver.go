package redis

import (
	"cmp"
	"context"
	"errors"
	"sync"

	client "github.com/redis/go-redis/v9"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
)

var (
	_ providers.Driver    = (*Driver)(nil)
	_ providers.Updater   = (*Driver)(nil)
	_ providers.Metered   = (*Driver)(nil)
	_ providers.Suspender = (*Driver)(nil)
	_ providers.Inspector = (*Driver)(nil)
	_ providers.Prober    = (*Driver)(nil)
	_ providers.Targeter  = (*Driver)(nil)
	_ providers.Backuper  = (*Driver)(nil)
	_ providers.Counter   = (*Driver)(nil)
)

// Settings describe one provider: with Servers it runs a server for each instance, with Shared it sells prefixes on one server.
type Settings struct {
	Offering   string                 // name in the market; "redis", or "redis-shared"
	Servers    *local.Fleet           // of the kind "redis"
	Shared     func() (string, error) // address of the shared server, redis://administrator:…@host:port; its users must be kept in an aclfile
	Advertised string                 // what apps are given: the host of Servers, the host:port of Shared; empty: as we reach it
	CA         string                 // PEM of the authority that signed the certificate of Shared, whose address begins with rediss:// then; given to apps
	Networks   providers.Networks     // other ways, by the network that a binding names; addresses as Advertised
	Plans      []catalog.Plan         // empty: dev, small and large; for Shared dev alone
}

// Driver sells Redis. It is safe for use by many goroutines.
type Driver struct {
	settings Settings

	mu      sync.Mutex
	clients map[string]*client.Client // by address
	turns   map[string]*sync.Mutex    // by instance
}

// New gives a driver; it touches no server yet.
func New(s Settings) *Driver {
	name := "redis"
	if s.Servers == nil && s.Shared != nil {
		name = "redis-shared"
	}
	s.Offering = cmp.Or(s.Offering, name)
	return &Driver{settings: s, clients: map[string]*client.Client{}, turns: map[string]*sync.Mutex{}}
}

// Close ends the connections to the servers; the servers go on.
func (d *Driver) Close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for address, c := range d.clients {
		_ = c.Close()
		delete(d.clients, address)
	}
}

// Offerings lists the plans; it asks no server.
func (d *Driver) Offerings(context.Context) ([]catalog.Offering, error) {
	o := catalog.Offering{
		Name: d.settings.Offering, Kind: "redis", DisplayName: "Redis", Category: "Databases", Tags: []string{"redis", "cache", "key-value"},
		Description: "A Redis server of your own.", Docs: "https://redis.io/docs/latest/commands/", Bindable: true, Updatable: true, Plans: d.settings.Plans,
	}
	if d.settings.Shared != nil {
		o.DisplayName, o.Description = "Redis for development", "A prefix of the keys on a shared Redis server, for development only: nothing but the names is kept apart."
	}
	if len(o.Plans) == 0 && d.settings.Shared != nil {
		o.Plans = []catalog.Plan{plan("dev", "For development: one prefix on a shared server, without scripts.", nil)}
	}
	if len(o.Plans) == 0 {
		o.Plans = []catalog.Plan{
			plan("dev", "For trying things out: 32 MiB.", catalog.Limits{"memory_bytes": 32 << 20, "connections": 20}),
			plan("small", "For small apps: 128 MiB.", catalog.Limits{"memory_bytes": 128 << 20, "connections": 100}),
			plan("large", "For busy apps: 1 GiB.", catalog.Limits{"memory_bytes": 1 << 30, "connections": 500}),
		}
	}
	o.Plans = d.settings.Networks.Offer(o.Plans)
	return []catalog.Offering{o}, nil
}

func plan(name, description string, limits catalog.Limits) catalog.Plan {
	p := catalog.Plan{
		Name: name, DisplayName: name, Description: description, Bindable: true, Rotatable: true, Updatable: true, Limits: limits,
		Metrics: []catalog.Metric{
			{Name: "memory_bytes", Unit: "byte", Aggregation: "avg", Kind: "level"},
			{Name: "connections", Unit: "connection", Aggregation: "max", Kind: "level"},
		},
	}
	if limits != nil {
		p.Metrics = append(p.Metrics, catalog.Metric{Name: "commands", Unit: "command", Aggregation: "sum", Kind: "delta"})
	}
	return p
}

func nameOf(instance string) string { return providers.Name("rd", instance) }

func userOf(binding string) string { return providers.Name("u", binding) }

// prefixOf is what an instance's keys begin with on a shared server.
func prefixOf(instance string) string { return providers.Name("t", instance) + ":" }

// turn makes the calls for one instance follow each other.
func (d *Driver) turn(instance string) func() {
	d.mu.Lock()
	t, ok := d.turns[instance]
	if !ok {
		t = &sync.Mutex{}
		d.turns[instance] = t
	}
	d.mu.Unlock()
	t.Lock()
	return t.Unlock
}

var errNotThere = errors.New("the instance is not on the server")

func notThere() error {
	return fault.Refused.Wrap(errNotThere, "The Redis instance is not there.").WithHint("It was removed behind the market's back: destroy the instance, or ask the operator to restore it.")
}
