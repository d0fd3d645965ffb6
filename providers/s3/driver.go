package s3

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
	_ providers.Backuper  = (*Driver)(nil)
	_ providers.Counter   = (*Driver)(nil)
)

// Server says where one S3 server is.
type Server struct {
	Endpoint   string // http(s)://host:port as the market reaches it
	Admin      string // the same for its administration; empty: Endpoint
	Advertised string // http(s)://host:port that apps are given; empty: Endpoint
	AccessKey  string // the administrator's
	Secret     string
	Region     string // empty: us-east-1
}

// Settings describe one server.
type Settings struct {
	Offering  string                 // name in the market; "s3"
	Server    func() (Server, error) // an error (fault.Unavailable) while the server is not there yet
	Transport http.RoundTripper      // how the server is reached; nil: whatever it is, believing CA
	CA        string                 // PEM of the authority that signed the server's certificate: it is verified by that, and apps are given it; empty: the machine's
	Networks  providers.Networks     // other ways to it, by the network that a binding names; addresses are http(s)://host:port
	Plans     []catalog.Plan         // empty: dev, small and large
}

// At is a server that is known from the start.
func At(s Server) func() (Server, error) { return func() (Server, error) { return s, nil } }

// Driver sells buckets of one server. It is safe for use by many goroutines.
type Driver struct {
	settings Settings
	turns    providers.Turns
	wrong    error // of the settings; every call says so
}

// New gives a driver; it does not touch the server yet.
func New(s Settings) *Driver {
	s.Offering = cmp.Or(s.Offering, "s3")
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
			plan("dev", "For trying things out: 1 GiB.", 1<<30, 10_000),
			plan("small", "For small apps: 100 GiB.", 100<<30, 1_000_000),
			plan("large", "For a lot: 1 TiB.", 1<<40, 10_000_000),
		}
	}
	return []catalog.Offering{{
		Name: d.settings.Offering, Kind: "s3", DisplayName: "Object storage", Category: "Storage", Tags: []string{"s3", "objects", "storage"},
		Description: "A bucket of your own on an S3 server.", Docs: "https://docs.aws.amazon.com/AmazonS3/latest/API/",
		Bindable: true, Updatable: true, Plans: d.settings.Networks.Offer(list),
	}}, nil
}

// The limits of a plan that this driver knows; both are watched, and held by taking the right to write away.
const (
	limitStorage = "storage_bytes" // of all objects and unfinished uploads
	limitObjects = "objects"
)

func plan(name, description string, storage, objects int64) catalog.Plan {
	return catalog.Plan{
		Name: name, DisplayName: name, Description: description, Bindable: true, Rotatable: true, Updatable: true,
		Limits: catalog.Limits{limitStorage: storage, limitObjects: objects},
		Metrics: []catalog.Metric{
			{Name: "storage_bytes", Unit: "byte", Aggregation: "avg", Kind: "level"}, // read hourly: the mean of the readings times the hours is byte-hours
			{Name: "objects", Unit: "object", Aggregation: "max", Kind: "level"},
		},
	}
}

// bucketOf is what an instance's bucket is called.
func bucketOf(instance string) string { return providers.Name("b", instance) }

// keysOf begins the names of all access keys of an instance, so that they are found when the bucket is gone.
func keysOf(instance string) string { return providers.Name("k", instance)[:14] }

func keyOf(instance, binding string) string { return keysOf(instance) + providers.Name("", binding) }
