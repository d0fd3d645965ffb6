package main

import (
	"context"
	"log/slog"
	"net"
	"net/netip"
	"strings"

	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/fake"
)

// driverSettings are what one provider's `settings:` say, by its driver. Their fields are read strictly from the YAML.
type driverSettings interface {
	// check adds what is wrong; it does no I/O beyond looking at files.
	check(doc *conf.Document, at string, c *config)
	// open makes the driver. It must not wait for the backend: a provider is "starting" until it answers.
	open(ctx context.Context, o opening) (opened, error)
}

// placed is settings of a driver whose backends may be on the machine of one node of the market.
type placed interface {
	// elsewhere is the driver as other nodes know it: what it offers and can do; it is never called. nil: every node can reach the backends.
	// needed: processes that share a store must name the one.
	elsewhere() (d providers.Driver, needed bool)
}

// checkNode adds what is wrong with the node of a provider.
func (c *config) checkNode(doc *conf.Document, at string, p *providerConfig) {
	var away providers.Driver
	var needed bool
	if l, ok := p.settings.(placed); ok {
		away, needed = l.elsewhere()
	}
	switch {
	case p.Node == "" && needed && c.postgres():
		doc.Add(at, "is missing: processes share a PostgreSQL store, and these servers are on one machine; name the node of the process there")
	case p.Node != "" && away == nil:
		doc.Add(at, "goes with servers that the market runs on one machine; these are reached from every one")
	case p.Node != "" && p.Node != c.Node && !c.postgres():
		doc.Add(at, "is %q, but a SQLite store has one process, the node %q", p.Node, c.Node)
	case strings.Contains(p.Node, "/"):
		doc.Add(at, "must have no slash")
	}
}

// opening is what a driver may use of the market.
type opening struct {
	log      *slog.Logger   // names the provider already
	egress   []netip.Prefix // private addresses that may be called
	currency string         // the market's
}

// opened is a driver, and what ends what it started in this process (nil when that is nothing).
type opened struct {
	driver providers.Driver
	close  func()
}

// drivers is the one list of what the market can sell, by the name that `driver:` says.
func drivers() map[string]func() driverSettings {
	return map[string]func() driverSettings{
		"fake":     func() driverSettings { return new(fakeSettings) },
		"mysql":    func() driverSettings { return new(mysqlSettings) },
		"nats":     func() driverSettings { return new(natsSettings) },
		"osb":      func() driverSettings { return new(osbSettings) },
		"postgres": func() driverSettings { return new(postgresSettings) },
		"rabbitmq": func() driverSettings { return new(rabbitmqSettings) },
		"redis":    func() driverSettings { return new(redisSettings) },
		"s3":       func() driverSettings { return new(s3Settings) },
	}
}

// fakeSettings make a backend of make-believe, for trying the market out.
type fakeSettings struct {
	Dir     string `yaml:"dir"`     // where its objects are kept; empty: in memory
	Version string `yaml:"version"` // the maintenance version of its plan maintained

	listens bool // something answers at the address in its credentials
}

// apart is a fake that starts with nothing.
func (s *fakeSettings) apart(string) (driverSettings, bool) {
	return &fakeSettings{Version: s.Version, listens: true}, true
}

func (s *fakeSettings) elsewhere() (providers.Driver, bool) {
	return fake.New(fake.Options{Version: s.Version}), false
}

func (*fakeSettings) check(*conf.Document, string, *config) {}

func (s *fakeSettings) open(ctx context.Context, _ opening) (opened, error) {
	if s.listens {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return opened{}, err
		}
		return opened{driver: fake.New(fake.Options{Address: l.Addr().String(), Version: s.Version}), close: func() { _ = l.Close() }}, nil
	}
	return opened{driver: fake.New(fake.Options{Dir: s.Dir, Version: s.Version})}, nil
}
