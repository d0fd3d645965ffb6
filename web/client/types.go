// Package client is the API's wire types and its Go client. It imports the standard library alone, so that outsiders may use it.
package client

import (
	"encoding/json"
	"time"
)

// Instance is one provisioned backend.
type Instance struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Kind      string    `json:"kind"`
	Offering  string    `json:"offering"`
	Plan      string    `json:"plan"`
	Provider  string    `json:"provider"`
	Region    string    `json:"region"`
	State     string    `json:"state"`
	Health    string    `json:"health"` // empty when it is well; degraded, over limit
	Note      string    `json:"note,omitempty"`
	Org       string    `json:"org"`                 // name
	Project   string    `json:"project"`             // name
	Operation string    `json:"operation,omitempty"` // id of the latest
	CreatedAt time.Time `json:"created_at"`
	Dashboard string    `json:"dashboard,omitempty"` // URL

	HealthNote  string       `json:"health_note,omitempty"` // why it is not well
	Excess      []Excess     `json:"excess,omitempty"`      // the limits of its plan that it has passed
	SuspendDue  *time.Time   `json:"suspend_due,omitempty"` // when it is suspended for that, unless it is within its plan by then
	Suspensions []Suspension `json:"suspensions,omitempty"` // why it is suspended; where one instance was asked for
	Maintenance string       `json:"maintenance,omitempty"` // the version of its plan that it is on
	Upgrade     string       `json:"upgrade,omitempty"`     // a newer one that its plan has
	Why         string       `json:"why,omitempty"`         // why this provider and plan were chosen, for people
}

// NewInstance asks for an instance. Want is a kind, or an offering's name, which may carry its plan as OFFERING:PLAN.
type NewInstance struct {
	Want     string          `json:"want" doc:"A kind or an offering; may carry the plan as OFFERING:PLAN." minLength:"1" maxLength:"200"`
	Plan     string          `json:"plan,omitempty" doc:"Name of the plan; any when empty."`
	Region   string          `json:"region,omitempty"`
	Provider string          `json:"provider,omitempty"`
	Name     string          `json:"name,omitempty" doc:"Unique in the project; one is made up when empty."`
	Org      string          `json:"org,omitempty" doc:"Name or id; the only one you see when empty."`
	Project  string          `json:"project,omitempty" doc:"Name or id; the app's, or the only one you see, when empty."`
	App      string          `json:"app,omitempty" doc:"The app it is made for."`
	Params   json.RawMessage `json:"params,omitempty" doc:"Parameters, checked against the plan's schema."`

	MaxRTT string            `json:"max_rtt,omitempty" doc:"How far the backend may be from you, as \"5ms\"; rtt tells how far the providers are."`
	RTT    map[string]string `json:"rtt,omitempty" doc:"How far providers are from you, by name, as \"1.2ms\", measured by yourself."`
}

// InstanceChange changes an instance. What is empty stays as it is.
type InstanceChange struct {
	Plan        string          `json:"plan,omitempty" doc:"Name of a plan of the same offering."`
	Params      json.RawMessage `json:"params,omitempty" doc:"Parameters to set; the others stay."`
	Maintenance bool            `json:"maintenance,omitempty" doc:"Bring it to its plan's maintenance version."`
}

// Updated is an instance that was just told to change; fresh is false when there was nothing to do, or when this very change is being made.
type Updated struct {
	Instance
	Fresh bool `json:"fresh"`
}

// Ordered is an instance that was just asked for, with what was chosen and what it costs.
type Ordered struct {
	Instance
	Fresh    bool   `json:"fresh"`    // false: the same order was there before
	Price    string `json:"price"`    // for people: "€0.007/h, at most €5/month"
	Monthly  string `json:"monthly"`  // fixed rates of a whole month, decimal
	Currency string `json:"currency"` // ISO 4217
}

// NewBinding asks for a binding of a ready instance to an app.
type NewBinding struct {
	Instance string          `json:"instance" doc:"Name or id." minLength:"1"`
	App      string          `json:"app" doc:"Name or id." minLength:"1"`
	Org      string          `json:"org,omitempty"`
	Project  string          `json:"project,omitempty"`
	Alias    string          `json:"alias,omitempty" doc:"Prefix of its variables, such as DATABASE; the kind's customary one when empty."`
	Params   json.RawMessage `json:"params,omitempty"`
}

// Binding is an app's access to an instance. Credentials are there only where asked for and allowed.
type Binding struct {
	ID          string         `json:"id"`
	Instance    string         `json:"instance"` // id
	Name        string         `json:"instance_name"`
	App         string         `json:"app"` // name
	Alias       string         `json:"alias"`
	State       string         `json:"state"`
	Predecessor string         `json:"predecessor,omitempty"` // id of the binding that it replaced
	Successor   string         `json:"successor,omitempty"`   // id of the binding that takes its place; this one lives until expires_at
	Note        string         `json:"note,omitempty"`
	Operation   string         `json:"operation,omitempty"`
	CreatedAt   time.Time      `json:"created_at"`
	ExpiresAt   *time.Time     `json:"expires_at"`
	Credentials map[string]any `json:"credentials,omitempty"`
}

// Operation is one durable piece of work.
type Operation struct {
	ID           string     `json:"id"`
	Verb         string     `json:"verb"`
	State        string     `json:"state"` // in progress, succeeded, failed
	Note         string     `json:"note,omitempty"`
	Instance     string     `json:"instance"`
	InstanceName string     `json:"instance_name"`
	Org          string     `json:"org,omitempty"` // names of where the instance lives
	Project      string     `json:"project,omitempty"`
	Binding      string     `json:"binding,omitempty"`
	StartedAt    time.Time  `json:"started_at" doc:"By the wall clock, not the market's."`
	EndedAt      *time.Time `json:"ended_at" doc:"By the wall clock."`
	Attempts     int64      `json:"attempts"`
	Failures     int64      `json:"failures"` // in a row, the last ones
	FailingSince *time.Time `json:"failing_since" doc:"By the wall clock: the first of the failures in a row; null when the last try did not fail."`
	NextAt       *time.Time `json:"next_at" doc:"By the wall clock: its next try; null when none is planned."`
	Reason       string     `json:"reason,omitempty"` // why it needs a person
}

// Purge gives up a stuck delete. Confirm is the operation's id once more.
type Purge struct {
	Confirm string `json:"confirm" doc:"The operation's id once more."`
	Reason  string `json:"reason" minLength:"1" maxLength:"500" doc:"For the audit trail."`
}

// Offering is what one provider sells.
type Offering struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Kind        string   `json:"kind"`
	Title       string   `json:"title"`
	Description string   `json:"description"`
	Provider    string   `json:"provider"`
	Region      string   `json:"region"`
	Status      string   `json:"status"` // starting up down cordoned
	Note        string   `json:"note,omitempty"`
	Tags        []string `json:"tags"`
	Plans       []Plan   `json:"plans"`
	RTT         string   `json:"rtt,omitempty"` // filled in by those who measured it
}

// Plan is one way to buy an offering.
type Plan struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Free        bool              `json:"free"`
	Limits      map[string]int64  `json:"limits"` // the name ends in the unit
	Metrics     []Metric          `json:"metrics"`
	Prices      map[string][]Rate `json:"prices"`           // per currency
	Monthly     map[string]string `json:"monthly"`          // fixed rates for a whole month, per currency
	Schema      json.RawMessage   `json:"schema,omitempty"` // of the parameters at creation
}

// Rate is one price rule, as in the configuration.
type Rate struct {
	Name      string `json:"name"`
	Model     string `json:"model"`
	Amount    string `json:"amount,omitempty"`
	Per       string `json:"per,omitempty"`
	Hours     int    `json:"hours,omitempty"`
	Proration string `json:"proration,omitempty"`
	Metric    string `json:"metric,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Included  string `json:"included,omitempty"`
}

// Metric is a named quantity that use is measured by.
type Metric struct {
	Name string `json:"name"`
	Unit string `json:"unit"`
}
