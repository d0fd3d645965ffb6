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
	Health    string    `json:"health"`
	Note      string    `json:"note,omitempty"`
	Org       string    `json:"org"`     // name
	Project   string    `json:"project"` // name
	Operation string    `json:"operation,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Binding is an app's access to an instance. Credentials are there only where asked for and allowed.
type Binding struct {
	ID          string         `json:"id"`
	Instance    string         `json:"instance"` // id
	App         string         `json:"app"`      // name
	Alias       string         `json:"alias"`
	State       string         `json:"state"`
	Note        string         `json:"note,omitempty"`
	Operation   string         `json:"operation,omitempty"`
	CreatedAt   time.Time      `json:"created_at"`
	ExpiresAt   *time.Time     `json:"expires_at"`
	Credentials map[string]any `json:"credentials,omitempty"`
}

// Operation is one durable piece of work.
type Operation struct {
	ID        string     `json:"id"`
	Verb      string     `json:"verb"`
	State     string     `json:"state"` // in progress, succeeded, failed
	Note      string     `json:"note,omitempty"`
	Instance  string     `json:"instance"`
	Binding   string     `json:"binding,omitempty"`
	StartedAt time.Time  `json:"started_at"`
	EndedAt   *time.Time `json:"ended_at"`
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
}

// Plan is one way to buy an offering.
type Plan struct {
	ID          string            `json:"id"`
	Name        string            `json:"name"`
	Title       string            `json:"title"`
	Description string            `json:"description"`
	Free        bool              `json:"free"`
	Limits      map[string]int64  `json:"limits"`
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

// Invoice is what an account pays for a period. Amounts and quantities are decimal strings.
type Invoice struct {
	Number        string        `json:"number"`
	Account       string        `json:"account"`
	Seller        string        `json:"seller"`
	Currency      string        `json:"currency"`
	Period        Period        `json:"period"`
	State         string        `json:"state"`
	Sent          string        `json:"sent,omitempty"`
	Lines         []InvoiceLine `json:"lines"`
	Subtotal      string        `json:"subtotal"`
	Discount      string        `json:"discount"`
	Tax           []Tax         `json:"tax"`
	Total         string        `json:"total"`
	CreditApplied string        `json:"credit_applied"`
	Due           string        `json:"due"`
	Hash          string        `json:"hash"`
}

// Period is half open: From inclusive, To exclusive.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// InvoiceLine is one charge.
type InvoiceLine struct {
	Description string    `json:"description"`
	Provider    string    `json:"provider"`
	Offering    string    `json:"offering"`
	Plan        string    `json:"plan"`
	Instance    string    `json:"instance"`
	Project     string    `json:"project"`
	Metric      string    `json:"metric"`
	Quantity    string    `json:"quantity"`
	UnitPrice   string    `json:"unit_price"`
	From        time.Time `json:"from"`
	To          time.Time `json:"to"`
	Amount      string    `json:"amount"`
}

// Tax is one rate's sum.
type Tax struct {
	Name   string `json:"name"`
	Rate   string `json:"rate"`
	Amount string `json:"amount"`
}
