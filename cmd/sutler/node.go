package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"time"

	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
	"github.com/sutlerhq/sutler/web"
)

// node is everything of one process, wired. `serve`, `dev` and tests start the same one: newNode, Run, Close.
type node struct {
	*ground
	config    config
	log       *slog.Logger
	directory *directory.Directory
	ledger    *billing.Ledger
	providers *providers.Set
	broker    *broker.Broker
	web       *web.Server
	meters    *meters

	work    context.Context // ends when the market is closed
	closers []func()        // what opened, to be closed from its end
}

type nodeOptions struct {
	dev bool // the market clock may be advanced
	log *slog.Logger
}

// newNode opens the store, wires the rooms on it and starts the work. The order is that of what needs what: ground, directory, ledger,
// providers, broker with the ledger as its meter and gate, then the doors.
func newNode(ctx context.Context, c config, o nodeOptions) (*node, error) {
	n := &node{config: c, log: o.log, meters: newMeters()}
	if err := n.open(ctx, o); err != nil {
		n.Close()
		return nil, err
	}
	return n, nil
}

func (n *node) open(ctx context.Context, o nodeOptions) (err error) {
	if n.ground, err = openGround(ctx, n.config); err != nil {
		return err
	}
	n.later(n.close)
	var end context.CancelFunc
	n.work, end = context.WithCancel(context.WithoutCancel(ctx)) // a signal stops the doors first, the work after
	n.later(end)
	for _, step := range []func(context.Context) error{n.openRooms, n.openProviders, n.openBroker} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	n.meters.registry.MustRegister(gauges{n})
	if err := n.doors(o); err != nil {
		return err
	}
	n.engine.Log = o.log
	n.later(n.drain)
	return n.engine.Start(n.work)
}

// patience is how long a node that stops waits for steps of running work. What is cut off goes on elsewhere, or at the next start.
const patience = 5 * time.Second

func (n *node) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.engine.Stop(ctx); err != nil {
		n.log.Warn("stopping", "err", err)
	}
}

func (n *node) later(f func()) { n.closers = append(n.closers, f) }

// Close ends the work and everything that was opened, the last first. It may be called twice.
func (n *node) Close() {
	for i := len(n.closers) - 1; i >= 0; i-- {
		n.closers[i]()
	}
	n.closers = nil
}

func (n *node) openRooms(ctx context.Context) (err error) {
	n.directory = directory.New(directory.Config{DB: n.db, Audit: n.audit})
	seller := billing.Seller{Name: n.config.Seller.Name, Country: n.config.Seller.Country, Series: n.config.Seller.Series}
	for _, t := range n.config.Seller.Tax {
		seller.Tax = append(seller.Tax, billing.Taxed{Name: t.Name, Rate: t.Rate})
	}
	collector, err := n.config.collector()
	if err != nil {
		return err
	}
	n.ledger, err = billing.New(ctx, billing.Config{
		DB: n.db, Tasks: n.engine, Calendar: n.calendar, Box: n.box, Audit: n.audit, Clock: n.clock,
		Seller: seller, Currency: n.config.Currency, Collector: collector, Log: n.log,
	})
	n.directory.SetAccounts(n.ledger)
	return err
}

// openProviders opens every driver and watches whether its backend answers; none is waited for.
func (n *node) openProviders(ctx context.Context) error {
	var list []*providers.Provider
	for _, p := range n.config.Providers {
		o, away, err := n.openProvider(p)
		if err != nil {
			return fault.Invalid.Wrap(err, "The provider %s cannot be opened: %v.", p.Name, err)
		}
		if o.close != nil {
			n.later(o.close)
		}
		list = append(list, providers.New(providers.Settings{
			Name: p.Name, Region: p.Region, Driver: p.Driver, Node: p.Node, Away: away, Called: n.meters.provider(p.Name),
		}, o.driver, n.log))
	}
	n.providers = providers.NewSet(list...)
	n.meters.expect(list)
	watch, end := context.WithCancel(n.work)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		n.providers.Watch(watch)
	}()
	n.later(func() { end(); <-watched })
	return nil
}

// openProvider opens a driver, or, when its backends are another node's, what there is to know of it.
func (n *node) openProvider(p providerConfig) (o opened, away bool, err error) {
	if p.Node != "" && p.Node != n.config.Node {
		if l, ok := p.settings.(placed); ok {
			d, _ := l.elsewhere()
			return opened{driver: d}, true, nil
		}
	}
	o, err = p.settings.open(n.work, opening{log: n.log.With("provider", p.Name), egress: n.config.Egress, currency: n.config.Currency})
	return o, false, err
}

func (n *node) openBroker(ctx context.Context) (err error) {
	terms := map[string][]catalog.Terms{}
	for _, p := range n.config.Providers {
		terms[p.Name] = p.Offerings
	}
	kept, err := n.config.openVault()
	if err != nil {
		return fault.Invalid.Wrap(err, "The place for backups cannot be opened: %v.", err).WithHint("Look at backups in the configuration.")
	}
	n.broker, err = broker.New(n.work, broker.Config{
		DB: n.db, Tasks: n.engine, Calendar: n.calendar, Box: n.box, Audit: n.audit, Clock: n.clock, Providers: n.providers,
		Terms: terms, Currency: n.config.Currency, Meter: n.ledger, Gate: n.ledger, Tenants: n.directory,
		Published: n.ledger.Publish, Ended: n.meters.operation, Grace: n.config.Grace, WatchGrace: n.config.Watch.Grace, Vault: kept, Measure: latency.Repeat, Log: n.log,
	})
	return err
}

// Run answers on l until ctx ends, then lets requests finish.
func (n *node) Run(ctx context.Context, l net.Listener) error {
	if t := n.config.TLS; t != nil {
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return fault.Invalid.Wrap(err, "The certificate %s and the key %s do not go together: %v.", t.Cert, t.Key, err)
		}
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	}
	return n.web.Serve(ctx, l)
}
