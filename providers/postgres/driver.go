package postgres

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"github.com/jackc/pgx/v5/pgxpool"

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
	_ providers.Watcher   = (*Driver)(nil)
	_ providers.Backuper  = (*Driver)(nil)
	_ providers.Counter   = (*Driver)(nil)
)

// Settings describe one server.
type Settings struct {
	Offering   string                 // name in the market; "postgresql"
	Admin      func() (string, error) // the administrator's address; an error (fault.Unavailable) while the server is not there yet
	Servers    *local.Fleet           // of the kind "postgresql", instead of Admin: each instance has a server of its own
	Advertised string                 // what apps are given: host:port of Admin, the host of Servers; empty: as we reach it
	SSLMode    string                 // sslmode in the credentials: disable prefer require verify-ca verify-full; empty: prefer
	CA         string                 // PEM of the authority that signed the server's certificate, given to apps; may be empty
	Networks   providers.Networks     // other ways to it, by the network that a binding names
	Plans      []catalog.Plan         // empty: dev, small and large
}

// Address is an administrator's address that is known from the start.
func Address(dsn string) func() (string, error) { return func() (string, error) { return dsn, nil } }

// Driver sells databases on one server, or servers. It is safe for use by many goroutines, and several processes may sell on one server.
type Driver struct {
	settings Settings

	way *providers.Way[*server] // to the administrator's address

	own ownServers
}

// server is the way to one administrator's address.
type server struct {
	pool  *pgxpool.Pool
	dsn   string
	super bool // the administrator is a superuser
}

// New gives a driver; it does not touch the server yet.
func New(s Settings) *Driver {
	if s.Servers != nil {
		s.Offering, s.SSLMode = cmp.Or(s.Offering, "postgresql-dedicated"), cmp.Or(s.SSLMode, "disable")
	}
	s.Offering, s.SSLMode = cmp.Or(s.Offering, "postgresql"), cmp.Or(s.SSLMode, "prefer")
	return &Driver{settings: s, way: providers.NewWay(s.Admin, open, (*server).close)}
}

// Close ends the connections to the server.
func (d *Driver) Close() {
	d.own.close()
	d.way.Close()
}

func (s *server) close() { s.pool.Close() }

// Offerings lists the plans; it does not ask the server.
func (d *Driver) Offerings(context.Context) ([]catalog.Offering, error) {
	list, description := d.settings.Plans, "A PostgreSQL database of your own on a shared server."
	if d.settings.Servers != nil {
		description = "A PostgreSQL server of your own."
	}
	if len(list) == 0 && d.settings.Servers != nil {
		list = ownPlans()
	}
	if len(list) == 0 {
		list = []catalog.Plan{
			plan("dev", "For trying things out: 5 connections.", 5, 1<<30),
			plan("small", "For small apps: 20 connections.", 20, 10<<30),
			plan("large", "For busy apps: 100 connections.", 100, 100<<30),
		}
	}
	return []catalog.Offering{{
		Name: d.settings.Offering, Kind: "postgresql", DisplayName: "PostgreSQL", Category: "Databases", Tags: []string{"sql", "relational", "postgresql"},
		Description: description, Docs: "https://www.postgresql.org/docs/",
		Bindable: true, Updatable: true, Plans: d.settings.Networks.Offer(list),
	}}, nil
}

func plan(name, description string, connections, storage int64) catalog.Plan {
	return catalog.Plan{
		Name: name, DisplayName: name, Description: description, Bindable: true, Rotatable: true, Updatable: true,
		Limits: catalog.Limits{"connections": connections, "storage_bytes": storage},
		Metrics: []catalog.Metric{
			{Name: "storage_bytes", Unit: "byte", Aggregation: "avg", Kind: "level"}, // read hourly: the mean of the readings is the mean over time,
			{Name: "connections", Unit: "connection", Aggregation: "max", Kind: "level"},
			{Name: "transactions", Unit: "transaction", Aggregation: "sum", Kind: "delta"},
		},
	}
}

// names are what an instance is called on the server. Copier is the login of its copies: named as a binding's, so that Deprovision finds what a
// crash left of it.
type names struct{ database, group, copier string }

func namesOf(instance string) names {
	return names{database: providers.Name("db", instance), group: providers.Name("gr", instance), copier: providers.Name("u", "copies of "+instance)}
}

func roleOf(binding string) string { return providers.Name("u", binding) }

// lockOf is the advisory lock that calls for one instance take turns by.
func lockOf(instance string) int64 {
	sum := sha256.Sum256([]byte("sutler instance " + instance))
	return int64(binary.BigEndian.Uint64(sum[:8])) //nolint:gosec // any 64 bits will do
}

// connections is the plan's limit; -1, which PostgreSQL takes for none, when the plan has none.
func connections(p catalog.Plan) int64 {
	if n, ok := p.Limits["connections"]; ok {
		return n
	}
	return -1
}

var errNotThere = errors.New("the database is not on the server")

func notThere() error {
	return fault.Refused.Wrap(errNotThere, "The database is not on the server.").WithHint("It was removed behind the market's back: destroy the instance, or ask the operator to restore it.")
}
