package rabbitmq

import (
	"cmp"
	"context"
	"net/http"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/providers"
)

var (
	_ providers.Driver    = (*Driver)(nil)
	_ providers.Updater   = (*Driver)(nil)
	_ providers.Metered   = (*Driver)(nil)
	_ providers.Suspender = (*Driver)(nil)
	_ providers.Inspector = (*Driver)(nil)
	_ providers.Prober    = (*Driver)(nil)
	_ providers.Targeter  = (*Driver)(nil)
	_ providers.Watcher   = (*Driver)(nil)
)

// Server says where one RabbitMQ server is.
type Server struct {
	Admin string // http(s)://administrator:password@host:port of the management plugin
	AMQP  string // host:port that apps are given
}

// Settings describe one server.
type Settings struct {
	Offering   string                 // name in the market; "rabbitmq"
	Server     func() (Server, error) // an error (fault.Unavailable) while the server is not there yet
	Transport  http.RoundTripper      // how the management plugin is reached; nil: whatever it is, believing CA
	TLS        bool                   // AMQP speaks TLS: the credentials say amqps
	CA         string                 // PEM of the authority that signed the server's certificates: the management plugin is verified by it, and apps are given it; empty: the machine's
	Networks   providers.Networks     // other ways to AMQP, by the network that a binding names
	Management bool                   // bindings may use the management pages and API of their own virtual host
	Plans      []catalog.Plan         // empty: dev, small and large
}

// At is a server that is known from the start.
func At(s Server) func() (Server, error) { return func() (Server, error) { return s, nil } }

// Driver sells virtual hosts of one server. It is safe for use by many goroutines.
type Driver struct {
	settings Settings
	turns    providers.Turns
	wrong    error // of the settings; every call says so
}

// New gives a driver; it does not touch the server yet.
func New(s Settings) *Driver {
	s.Offering = cmp.Or(s.Offering, "rabbitmq")
	d := &Driver{settings: s}
	if s.Transport == nil {
		d.settings.Transport, d.wrong = providers.Transport(s.CA)
	}
	return d
}

// Offerings lists the plans; it does not ask the server.
func (d *Driver) Offerings(context.Context) ([]catalog.Offering, error) {
	list := d.settings.Plans
	if len(list) == 0 {
		list = []catalog.Plan{
			plan("dev", "For trying things out: 5 connections, 20 queues of 10,000 messages.", 5, 20, 10_000, 100<<20),
			plan("small", "For small apps: 50 connections, 200 queues of 100,000 messages.", 50, 200, 100_000, 1<<30),
			plan("large", "For busy apps: 500 connections, 2,000 queues of a million messages.", 500, 2000, 1_000_000, 10<<30),
		}
	}
	return []catalog.Offering{{
		Name: d.settings.Offering, Kind: "rabbitmq", DisplayName: "RabbitMQ", Category: "Integration", Tags: []string{"amqp", "messaging", "rabbitmq"},
		Description: "A virtual host of your own on a shared RabbitMQ server.", Docs: "https://www.rabbitmq.com/docs",
		Bindable: true, Updatable: true, Plans: d.settings.Networks.Offer(list),
	}}, nil
}

func plan(name, description string, connections, queues, length, storage int64) catalog.Plan {
	return catalog.Plan{
		Name: name, DisplayName: name, Description: description, Bindable: true, Rotatable: true, Updatable: true,
		Limits: catalog.Limits{limitConnections: connections, limitQueues: queues, limitLength: length, limitStorage: storage},
		Metrics: []catalog.Metric{
			{Name: "messages", Unit: "message", Aggregation: "sum", Kind: "delta"},
			{Name: "bytes", Unit: "byte", Aggregation: "sum", Kind: "delta"},
			{Name: "storage_bytes", Unit: "byte", Aggregation: "avg", Kind: "level"},
			{Name: "connections", Unit: "connection", Aggregation: "max", Kind: "level"},
		},
	}
}

// The limits of a plan that this driver knows.
const (
	limitConnections = "connections"   // open at once in the virtual host; held
	limitQueues      = "queues"        // in the virtual host; held
	limitLength      = "queue_length"  // messages of one queue; held, the eldest are dropped
	limitStorage     = "storage_bytes" // bytes of all messages: held for one queue, watched for all of them
)

// vhostOf is what an instance's virtual host is called.
func vhostOf(instance string) string { return providers.Name("v", instance) }

// usersOf begins the names of all users of an instance, so that they are found when the virtual host is gone or was never finished.
func usersOf(instance string) string { return providers.Name("u", instance)[:14] }

func userOf(instance, binding string) string { return usersOf(instance) + providers.Name("b", binding) }
