package mysql

import (
	"cmp"
	"context"
	"crypto/tls"
	"database/sql"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
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
	_ providers.Backuper  = (*Driver)(nil)
	_ providers.Counter   = (*Driver)(nil)
)

// Settings describe one server.
type Settings struct {
	Offering string                 // name in the market; "mysql"
	Admin    func() (string, error) // the administrator's address; an error (fault.Unavailable) while the server is not there yet
	Networks providers.Networks     // how apps reach the server; TLS is one of Modes
	Plans    []catalog.Plan         // empty: dev, small and large
}

// Address is an administrator's address that is known from the start: mysql://administrator:password@host:port/, with ?tls=MODE (see Modes)
// and &ca=FILE when the market itself speaks TLS to the server.
func Address(dsn string) func() (string, error) { return func() (string, error) { return dsn, nil } }

// Modes are the words for TLS, in settings and credentials, as PostgreSQL calls them too. From "require" on the server refuses a login without TLS.
func Modes() []string { return providers.Modes() }

// Driver sells databases on one server. It is safe for use by many goroutines, and several processes may sell on one server.
type Driver struct {
	settings Settings

	way *providers.Way[*server] // to the administrator's address
}

// server is the way to one administrator's address.
type server struct {
	pool    *sql.DB
	dsn     string
	address string // host:port
	user    string
	pass    string
	tls     *tls.Config
	ca      string // file
	mode    string
	secret  string // of the bookkeeping: locks are named by it, so that no tenant can take one
}

// New gives a driver; it does not touch the server yet.
func New(s Settings) *Driver {
	s.Offering = cmp.Or(s.Offering, "mysql")
	return &Driver{settings: s, way: providers.NewWay(s.Admin, open, (*server).close)}
}

// Close ends the connections to the server.
func (d *Driver) Close() { d.way.Close() }

func (s *server) close() { _ = s.pool.Close() }

// Offerings lists the plans; it does not ask the server.
func (d *Driver) Offerings(context.Context) ([]catalog.Offering, error) {
	list := d.settings.Plans
	if len(list) == 0 {
		list = []catalog.Plan{
			plan("dev", "For trying things out: 5 connections.", 5, 1<<30),
			plan("small", "For small apps: 20 connections.", 20, 10<<30),
			plan("large", "For busy apps: 100 connections.", 100, 100<<30),
		}
	}
	return []catalog.Offering{{
		Name: d.settings.Offering, Kind: "mysql", DisplayName: "MySQL", Category: "Databases", Tags: []string{"sql", "relational", "mysql", "mariadb"},
		Description: "A MariaDB database of your own on a shared server, for everything that speaks MySQL.", Docs: "https://mariadb.com/kb/en/documentation/",
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
			{Name: "queries", Unit: "query", Aggregation: "sum", Kind: "delta"},
		},
	}
}

// connections is the plan's limit; 0, which MariaDB takes for none, when the plan has none.
func connections(p catalog.Plan) int64 { return p.Limits["connections"] }

// databaseOf is what an instance is called on the server, loginOf what a binding is, definerOf the account that restored objects belong to.
func databaseOf(instance string) string { return providers.Name("db", instance) }
func loginOf(binding string) string     { return providers.Name("u", binding) }
func definerOf(instance string) string  { return providers.Name("d", instance) }

func notThere() error {
	return fault.Refused.Errorf("The database is not on the server.").WithHint("It was removed behind the market's back: destroy the instance, or ask the operator to restore it.")
}
