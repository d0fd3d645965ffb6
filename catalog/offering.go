package catalog

import (
	"encoding/json"
	"time"
)

// Kind is what is comparable across providers. Kinds are listed in kind.go.
type Kind string

// Offering is what one provider sells: plans of one Kind, under a name that is unique in the market.
type Offering struct {
	ID          string // stable over restarts: platforms keep it (ids.Stable of market, provider, name)
	Name        string // unique in the market, [a-z0-9.-]
	Kind        Kind
	DisplayName string
	Description string // one line
	Docs        string // URL, may be empty
	Tags        []string
	Category    string // FOCUS service category: "Databases", "Integration", "Storage"…
	Provider    string // who sells it
	Region      string // where
	Bindable    bool
	Updatable   bool // plans may be changed
	Plans       []Plan
	Visibility  Visibility
	Withheld    string // why its driver has it and yet it cannot be sold; empty: it can
}

// Plan is one way to buy an offering.
type Plan struct {
	ID          string // stable over restarts (ids.Stable of offering id, name)
	Name        string // unique in its offering
	Origin      string // what its driver knows it by when that is not the name; opaque to all others, kept when terms rename it
	DisplayName string
	Description string
	Async       bool // provision and bind may take longer than a platform waits
	Bindable    bool
	Rotatable   bool
	Updatable   bool
	AppOnly     bool          // bound to apps only: no service keys
	MaxPolling  time.Duration // after this an operation that cannot succeed ends as failed; 0 means a week
	Targets     []string      // names of the offering's plans that an instance of this one may change to; empty: all
	Maintenance *Maintenance
	Limits      Limits
	Schemas     Schemas
	Metrics     []Metric
	Prices      map[string][]Rate // per currency (ISO 4217); none at all: free
	Unpriced    string            // why it has no price although it is not free; it is sold only when the market's terms give one
	Capacity    int               // how many instances of this plan the provider takes; 0 means no limit
	Visibility  Visibility
}

// Maintenance is a plan's maintenance_info: a semantic version and what it brings.
type Maintenance struct{ Version, Description string }

// Limits are what a plan holds, by name; the name ends in its unit: storage_bytes, connections, memory_bytes, streams…
type Limits map[string]int64

// Schemas are JSON schemas (draft 4 to 2020-12) for the parameters of each request; an empty one allows only no parameters or {}.
type Schemas struct{ Create, Update, Bind json.RawMessage }

// Visibility says who sees an offering or a plan: everybody when both lists are empty, else only those listed.
type Visibility struct{ Orgs, Platforms []string }

// Free tells whether the plan costs nothing in every currency.
func (p Plan) Free() bool {
	for _, rates := range p.Prices {
		if len(rates) > 0 {
			return false
		}
	}
	return true
}
