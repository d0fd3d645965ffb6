package providers

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/providers/latency"
)

// Driver speaks to one kind of backend. Every verb is level-triggered and idempotent by ID: it is called again, with the State it
// last returned, until Progress.Done. A driver keeps nothing between calls but what it returns as State; a killed process loses nothing.
// IDs are ours ([a-z0-9_]), never a platform's. An error may carry a fault kind: Unavailable and Timeout say that the provider
// is away and are retried, Busy that something stands in the way of this one instance, which is retried too; Invalid and Refused end the
// operation as failed. Anything else is retried until the plan's time is up, and speaks against the provider only when several instances fail so.
type Driver interface {
	// Offerings lists what can be sold here. Native drivers answer without their server; one that must ask may fail with Unavailable.
	Offerings(ctx context.Context) ([]catalog.Offering, error)
	// Provision makes the instance, or goes on making it.
	Provision(ctx context.Context, i Instance) (Progress, error)
	// Deprovision removes the instance, half-made ones too; what is gone is Done.
	Deprovision(ctx context.Context, i Instance) (Progress, error)
	// Bind makes credentials. The same binding twice gives the same credentials (derived from Seed), or removes the first ones before it invents others.
	Bind(ctx context.Context, i Instance, b Binding) (Grant, Progress, error)
	// Unbind is Done only when old logins fail and open connections are dead.
	Unbind(ctx context.Context, i Instance, b Binding) (Progress, error)
}

// Instance is what a driver is told of an instance.
type Instance struct {
	ID       string
	Offering string // name
	Plan     catalog.Plan
	Params   json.RawMessage // checked against the plan's schema; never nil ("{}")
	Owner    Owner
	State    json.RawMessage // what the driver last returned; nil at first
	Bindings []string        // ids of those that live or went lately; told to Inspect alone, for backends that must be asked for one by its name
}

// Owner is whose instance it is: ids, for labels at the backend.
type Owner struct{ Org, Project string }

// Binding is what a driver is told of a binding.
type Binding struct {
	ID        string
	App       string // id, may be empty
	Params    json.RawMessage
	Mode      string // "" or "password" unless a driver offers more
	ExpiresAt time.Time
	Seed      []byte // 32 random bytes committed with the intent
	// Predecessor is the id of the binding that this one takes over from, "" when it is no rotation.
	Predecessor string
	State       json.RawMessage
}

// Progress says how far a verb came. State is kept, sealed, even when the call failed.
type Progress struct {
	Done       bool
	Note       string // for people: what is being done, or why it waits
	RetryAfter time.Duration
	State      json.RawMessage // nil: as before
}

// Grant is what a binding gives an app. Credentials hold "uri" and its parts (host, port, username, password, database…).
type Grant struct {
	Credentials map[string]any
	Endpoints   []Endpoint
	ExpiresAt   time.Time
}

// Endpoint is one address that an app needs to reach.
type Endpoint struct {
	Host     string
	Ports    []string
	Protocol string // tcp udp all
}

// Updater changes an instance to another plan or other parameters. A failed update leaves the old ones in force.
type Updater interface {
	Update(ctx context.Context, old, new Instance) (Progress, error)
}

// Metered reads an instance's gauges and counters.
type Metered interface {
	Read(ctx context.Context, i Instance) ([]Reading, error)
}

// Reading is what a gauge or a counter shows. Epoch changes when a counter begins again from zero.
type Reading struct {
	Metric string
	Value  money.Decimal
	Type   string // "gauge" or "counter"
	Epoch  string
	Source string // tells several counters of one metric apart, which add up: one a server of a cluster; "" when there is one
}

// Suspender refuses logins and keeps data, and lets in again.
type Suspender interface {
	Suspend(ctx context.Context, i Instance) (Progress, error)
	Resume(ctx context.Context, i Instance) (Progress, error)
}

// Inspector compares with the backend.
type Inspector interface {
	Inspect(ctx context.Context, i Instance) (Inspection, error)
}

// Inspection is what the backend shows of an instance.
type Inspection struct {
	Exists bool
	// Sessions are open connections by binding id; bindings without a connection, or whose connections nobody can count, are there with 0.
	// nil: the backend does not tell which bindings it has. That is another answer than none, and says nothing about any of them.
	Sessions map[string]int
}

// Prober answers nil when the backend answers. A provider is "starting" until the first nil.
type Prober interface {
	Probe(ctx context.Context) error
}

// Targeter says what to measure the latency to.
type Targeter interface {
	Target(ctx context.Context, i Instance) (latency.Target, error)
}

// Dashboarder has a page for an instance.
type Dashboarder interface {
	Dashboard(i Instance) string
}

// Watcher looks after those limits of the plan that the backend cannot hold by itself. It is asked every minute.
type Watcher interface {
	// Watch names the limits that the instance has passed; none when it is within its plan. A driver that can hold such a limit by
	// something softer than a suspension (taking the right to write away) does and undoes it here, and says so by Excess.Held.
	Watch(ctx context.Context, i Instance) ([]Excess, error)
}

// Excess is a limit of the plan that an instance has passed.
type Excess struct {
	Limit   string // its name in catalog.Plan.Limits
	Allowed int64
	Used    int64
	Held    bool // the driver holds the limit now: no suspension is needed
}

// Backuper copies an instance's data out and in, as a stream in the usual format of its kind: what one driver wrote, any driver of the
// same kind can read. Neither is tied to the deadline of the other verbs. An error leaves the data of the instance that is copied from alone.
type Backuper interface {
	// Backup writes all data of the instance, consistent at one moment as far as its kind can say that, also while it is suspended.
	Backup(ctx context.Context, i Instance, to io.Writer) error
	// Restore reads what Backup wrote into an instance that was just made. What its bindings own afterwards is as if an app had written it.
	Restore(ctx context.Context, i Instance, from io.Reader) error
}

// Counter counts what an instance holds, to compare two copies: rows by table, keys by database, objects by bucket. It works while the
// instance is suspended, too.
type Counter interface {
	Count(ctx context.Context, i Instance) (map[string]int64, error)
}

// Expirer marks a Counter whose counts shrink by themselves, as apps may let what they write expire: fewer than were counted are no loss there.
type Expirer interface {
	Expires()
}

// Lister lists what it made at the backend, so that what nobody knows of any more is found: after a restore of the market's store, or when
// a call landed late. It never says whose a name is; the market finds that out by asking what each of its own instances is called.
type Lister interface {
	// List names every instance at the backend, half-made ones too, by the names that they go by there.
	List(ctx context.Context) ([]string, error)
	// NameOf gives the name that List has for one of our instance ids. It asks nobody.
	NameOf(instance string) string
}
