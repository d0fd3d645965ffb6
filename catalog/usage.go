package catalog

import (
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
)

// Snapshot is what was sold to whom, with the names of that moment, so that invoices never join anybody else's tables.
// It travels from broker to billing through Meter and Gate.
type Snapshot struct {
	Account                string // id; the account's own names are billing's
	Org, OrgName           string
	Project, ProjectName   string
	App, AppName           string // the app it was created for, may be empty
	Instance, InstanceName string
	Provider, Region       string
	Offering, OfferingName string // id, name
	Plan, PlanName         string // id, name
	Kind                   Kind
	Category               string
	Labels                 map[string]string
}

// Event is one report of usage. (Sender, Source, ID) is its identity: the same one twice is stored once.
type Event struct {
	Sender     string // who was authenticated: "collector", or "provider/NAME"
	Source, ID string // the sender's own
	Metric     string
	Instance   string    // ours
	Time       time.Time // market time the use belongs to
	Value      money.Decimal
	Dimensions map[string]string
}
