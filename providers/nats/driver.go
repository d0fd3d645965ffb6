package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"

	"github.com/sutlerhq/sutler/catalog"
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
)

// startDeadline is how long the server may take until it accepts connections; it takes some 20 ms.
const startDeadline = 10 * time.Second

// reserve is what JetStream may promise to all accounts together, in bytes. Plans promise more than a developer's disk holds, as
// hosts do; what is really stored is what counts.
const reserve = 1 << 44

// Settings describe the server to start.
type Settings struct {
	Offering   string             // name in the market; "nats"
	Dir        string             // keys, accounts, logins, streams; made when it is not there
	Host       string             // to listen on; "127.0.0.1"
	Port       int                // 0: the one the folder had before when it is free, else a free one
	Advertised string             // host:port that apps are given; empty: where it listens
	Cert, Key  string             // PEM of the server's certificate and its key: with both it speaks TLS, and only that
	CA         string             // PEM of the authority that signed it, given to apps; may be empty
	Networks   providers.Networks // other ways to it, by the network that a binding names
	Plans      []catalog.Plan     // empty: dev, small and large
}

// Driver sells accounts on the server that it runs. It is safe for use by many goroutines.
type Driver struct {
	settings Settings
	address  string // where it listens, host:port
	keys     keys
	folder   folder
	lock     *os.File
	server   *server.Server
	callout  *natsgo.Conn

	mu sync.RWMutex // held for writing while accounts and logins change, for reading while a login is judged
}

// Start starts the server and its callout service. Errors: a folder that another process serves from, a port in use.
func Start(s Settings) (*Driver, error) {
	s.Offering, s.Host = cmp.Or(s.Offering, "nats"), cmp.Or(s.Host, "127.0.0.1")
	d := &Driver{settings: s, folder: folder(s.Dir)}
	if err := d.start(); err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
}

func (d *Driver) start() (err error) {
	if err := d.folder.make(); err != nil {
		return err
	}
	if err := d.acquire(); err != nil {
		return err
	}
	if d.keys, err = loadKeys(filepath.Join(d.settings.Dir, "master.key")); err != nil {
		return err
	}
	if d.settings.Port == 0 {
		if d.settings.Port, err = local.KeptPort(d.settings.Dir); err != nil {
			return err
		}
	}
	options, err := d.options()
	if err != nil {
		return err
	}
	if d.server, err = server.NewServer(options); err != nil {
		return fmt.Errorf("nats: %w", err)
	}
	d.server.Start()
	if !d.server.ReadyForConnections(startDeadline) {
		return fmt.Errorf("nats: no connection accepted on %s:%d within %s: is the port in use?", d.settings.Host, d.settings.Port, startDeadline)
	}
	d.address = net.JoinHostPort(d.settings.Host, strconv.Itoa(d.settings.Port))
	return d.serveLogins()
}

// acquire keeps other processes out of the folder: two servers on one JetStream store would spoil it.
func (d *Driver) acquire() (err error) {
	if d.lock, err = os.OpenFile(filepath.Join(d.settings.Dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return err
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return fmt.Errorf("nats: another process serves from %s: %w", d.settings.Dir, err)
	}
	return nil
}

func (d *Driver) options() (*server.Options, error) {
	operator, err := d.keys.operatorClaims()
	if err != nil {
		return nil, err
	}
	sentinel, err := d.keys.sentinel()
	if err != nil {
		return nil, err
	}
	if err := d.writeOwnAccounts(); err != nil {
		return nil, err
	}
	encryption, err := d.settings.encryption()
	if err != nil {
		return nil, err
	}
	return &server.Options{
		TLSConfig: encryption, TLS: encryption != nil, TLSTimeout: startDeadline.Seconds(), ServerName: "sutler-" + d.settings.Offering, Host: d.settings.Host, Port: d.settings.Port,
		TrustedOperators: operator, SystemAccount: d.keys.system.public, AccountResolver: d.folder, DefaultSentinel: sentinel,
		JetStream: true, StoreDir: filepath.Join(d.settings.Dir, "store"), JetStreamMaxStore: reserve, JetStreamMaxMemory: reserve,
		NoSigs: true, NoLog: true,
	}, nil
}

// Stop ends the server and waits for it. What it keeps stays in the folder.
func (d *Driver) Stop() error {
	if d.callout != nil {
		d.callout.Close()
	}
	if d.server != nil {
		d.server.Shutdown()
		d.server.WaitForShutdown()
	}
	if d.lock != nil {
		return d.lock.Close()
	}
	return nil
}

// Address is where apps connect, host:port.
func (d *Driver) Address() string { return d.usual().Address }

// Probe asks the callout's own connection for an answer of the server.
func (d *Driver) Probe(ctx context.Context) error { return d.settle(ctx) }

// Offerings lists the plans.
func (d *Driver) Offerings(context.Context) ([]catalog.Offering, error) {
	return offerings(d.settings.Offering, d.settings.Plans, d.settings.Networks), nil
}

func offerings(name string, list []catalog.Plan, networks providers.Networks) []catalog.Offering {
	if len(list) == 0 {
		list = []catalog.Plan{
			plan("dev", "For trying things out: 10 connections, 64 MiB of streams.", 10, 64<<20),
			plan("small", "For small apps: 100 connections, 1 GiB of streams.", 100, 1<<30),
			plan("large", "For busy apps: 1000 connections, 20 GiB of streams.", 1000, 20<<30),
		}
	}
	return []catalog.Offering{{
		Name: name, Kind: "nats", DisplayName: "NATS", Category: "Integration", Tags: []string{"messaging", "streaming", "key-value"},
		Description: "Messaging, streams and key-value in an account of your own.", Docs: "https://docs.nats.io/",
		Bindable: true, Updatable: true, Plans: networks.Offer(list),
	}}
}

func plan(name, description string, connections, storage int64) catalog.Plan {
	return catalog.Plan{
		Name: name, DisplayName: name, Description: description, Bindable: true, Rotatable: true, Updatable: true,
		Limits: catalog.Limits{
			"connections": connections, "subscriptions": connections * 100, "storage_bytes": storage, "memory_bytes": storage / 4,
			"streams": connections, "consumers": connections * 10, "payload_bytes": 1 << 20,
		},
		Metrics: []catalog.Metric{
			{Name: "messages", Unit: "message", Aggregation: "sum", Kind: "delta"},
			{Name: "bytes", Unit: "byte", Aggregation: "sum", Kind: "delta"},
			{Name: "stored_bytes", Unit: "byte", Aggregation: "avg", Kind: "level"}, // read hourly: the mean of the readings is the mean over time,
			{Name: "connections", Unit: "connection", Aggregation: "max", Kind: "level"},
		},
	}
}
