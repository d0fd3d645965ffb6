package broker

import (
	"encoding/json"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/providers"
)

// State is where an instance or a binding stands in its life.
type State string

// The states, and no others (DESIGN §4). Gone rows are kept for reconcile and for last_operation's retention.
const (
	Creating  State = "creating"
	Ready     State = "ready"
	Updating  State = "updating"
	Suspended State = "suspended"
	Deleting  State = "deleting"
	Gone      State = "gone"
	Failed    State = "failed"
	Expiring  State = "expiring" // bindings only
)

// What an instance's health can be; an empty one is good.
const (
	Degraded  = "degraded"   // it is not at its backend what the market knows of it
	OverLimit = "over limit" // it has passed a limit of its plan
)

// Instance is one provisioned backend as callers see it; sealed parts are not in it.
type Instance struct {
	ID, Name          string // ours; unique among the project's live ones
	Org, Project      string // ids
	Offering, Plan    string // names
	OfferingID        string
	PlanID            string
	Kind              catalog.Kind
	Provider, Region  string
	Placement         string // why it is there, for people; empty where nothing was chosen
	State             State
	Health            string // "", Degraded or OverLimit, beside the state
	HealthNote        string // why it is not well, for people
	Excess            []providers.Excess
	SuspendDue        time.Time    // when it is suspended unless it comes back within its plan; market time, zero: it is not due
	Suspensions       []Suspension // why it is suspended; filled when one instance is asked for
	Note              string       // what is being done, or why it failed, for people
	Params            json.RawMessage
	Platform          string // the platform that made it, and its id there; empty for people
	PlatformInstance  string
	DashboardURL      string
	Maintenance       string    // the version of its plan that it is on; empty when the plan has none
	Operation         Operation // the latest
	CreatedAt, GoneAt time.Time // market time; GoneAt zero while it lives
	ReadyAt           time.Time
}

// Binding is an app's access to one instance; its credentials are asked for apart.
type Binding struct {
	ID, Instance, App string // ids; App may be empty (service keys)
	InstanceName      string
	AppName           string
	Alias             string // environment prefix such as DATABASE, unique in the app
	State             State
	Note              string
	Params            json.RawMessage
	PlatformBinding   string
	Predecessor       string // id of the binding that it replaced or is replacing
	Successor         string // id of the binding that takes or took its place, while this one still lives
	Operation         Operation
	CreatedAt         time.Time
	ExpiresAt         time.Time // zero: never
}

// RenewBefore is when a binding that expires should be rotated at the latest: when two thirds of its life are over. Zero: it never expires, or
// has been rotated already.
func (b Binding) RenewBefore() time.Time {
	if b.ExpiresAt.IsZero() || b.State == Expiring {
		return time.Time{}
	}
	return b.ExpiresAt.Add(-max(0, b.ExpiresAt.Sub(b.CreatedAt)/3)) // a market's clock that was advanced may be beyond the expiry, which is by the wall's
}

// Credentials are what a binding grants, in clear. Never log them.
type Credentials struct {
	Binding   Binding
	Instance  Instance
	Values    map[string]any
	Endpoints []providers.Endpoint
}

// Operation is one durable piece of work on an instance or a binding.
type Operation struct {
	ID, Instance, Binding string
	InstanceName          string // where it was asked for as one of many, or by its id
	Org, Project          string // ids of where the instance lives; where it was asked for so
	Verb                  string // provision update bind rotate unbind deprovision suspend resume
	State                 string // "in progress", "succeeded", "failed"
	Note                  string
	Attempts              int64
	Failures              int64     // in a row, the last ones
	FailingSince          time.Time // wall time of the first of them; zero when the last try did not fail
	Stuck                 string    // why it needs a person; empty when it does not
	StartedAt, EndedAt    time.Time
	NextAt                time.Time // wall time of its next try; zero when none is planned
	Repeatable            bool      // the same order may succeed another time; says something only of one that failed
}

// Done tells whether the operation has ended.
func (o Operation) Done() bool { return o.State == "succeeded" || o.State == "failed" }

// ProvisionOrder asks for an instance.
type ProvisionOrder struct {
	Org, Project     string // ids
	App              string // id of the app it is created for, may be empty
	Name             string // empty: one is made up
	Offering, Plan   string // names or ids; an empty plan is the offering's first
	Params           json.RawMessage
	Platform         string // with PlatformInstance: an OSB platform's own id; unique among its live ones
	PlatformInstance string
	Place            Place  // where it belongs as the platform says
	Maintenance      string // the version of the plan that the platform expects; empty: any
	Why              string // why this plan of this provider was chosen, for people; empty: it was named
	AcceptsAsync     bool   // false: refuse async plans with code AsyncRequired

	source string // what it is filled with before it is ready: backup/ID or instance/ID
}

// Place is an organisation and a space by a platform's own ids. It is part of what a platform orders: the same order names the same place.
type Place struct{ Org, Space string }

// The protocol's words that callers tell refusals by.
const (
	asyncCode       = "AsyncRequired"
	maintenanceCode = "MaintenanceInfoConflict"
)

// BindOrder asks for a binding.
type BindOrder struct {
	Instance        string // id
	App             string // id, may be empty
	Alias           string // empty: the kind's customary name (DATABASE, REDIS…), or the instance's name when that is taken
	Params          json.RawMessage
	Platform        string
	PlatformBinding string
	Predecessor     string // our id of the binding that this one replaces, on the same instance; its app, alias and parameters are inherited
	AcceptsAsync    bool
}

// Offer is an offering as the market shows it now.
type Offer struct {
	catalog.Offering
	Status providers.Status
	Note   string // why it is not up
	// What Stock tells besides.
	Taken  map[string]int // instances there are of each limited plan, by plan id
	Lapsed []Lapse        // plans that it has sold, and sells no more
}

// Lapse is a plan that is not sold any more. What lives on it goes on.
type Lapse struct {
	catalog.Plan
	Since time.Time // when that was first seen, market time
	Why   string
}

// Change is a state change of an instance or binding, for live pages.
type Change struct {
	Instance, Binding string
	Project           string
	State             State
	Note              string
}
