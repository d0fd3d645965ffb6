package billing

import (
	"time"

	"github.com/sutlerhq/sutler/catalog/money"
)

// Account is who pays for one or more orgs.
type Account struct {
	ID, Name, Currency string
	Orgs               []string
}

// Period is a UTC calendar month: From inclusive, To exclusive.
type Period struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
}

// Invoice is what an account pays for a period. Amounts are decimal strings in major units; field names are DESIGN §6's.
type Invoice struct {
	Number         string // empty for a preview
	Account        string // id
	AccountName    string
	Seller         string
	Currency       string
	Period         Period
	State          string // preview open paid void
	Sent           string // "not sent", "sending" or "sent"; where something stands in the way, with the reason
	IssuedAt       time.Time
	Lines          []Line
	Subtotal       string
	Discount       string
	Tax            []Tax
	Total          string
	CreditApplied  string
	Due            string
	Hash, Previous string // hex SHA-256 of the canonical form; the one before in the series
	Signature      string // base64 of the ES256 signature over Hash
}

// Line is one charge. Quantity and UnitPrice are shown with at most twelve decimals; Amount comes from the exact fractions.
type Line struct {
	Description  string    `json:"description"`
	Provider     string    `json:"provider"`
	Offering     string    `json:"offering"` // names
	Plan         string    `json:"plan"`
	Instance     string    `json:"instance"`
	InstanceName string    `json:"instance_name"`
	Org          string    `json:"org"`
	OrgName      string    `json:"org_name"`
	Project      string    `json:"project"`
	ProjectName  string    `json:"project_name"`
	Metric       string    `json:"metric"` // empty for fixed rates
	Quantity     string    `json:"quantity"`
	Unit         string    `json:"unit"`
	UnitPrice    string    `json:"unit_price"`
	From         time.Time `json:"from"`
	To           time.Time `json:"to"`
	Amount       string    `json:"amount"`
}

// Tax is one rate's sum over an invoice. Rate 0.19 is 19 %.
type Tax struct {
	Name   string `json:"name"`
	Rate   string `json:"rate"`
	Amount string `json:"amount"`
}

// UsageRow is a metric of an instance summed over a window.
type UsageRow struct {
	Org, Project, Instance, InstanceName string
	Provider, Offering, Plan             string
	Metric, Unit                         string
	Quantity                             money.Decimal
	From, To                             time.Time
}

// Verification is what recomputing an invoice from events and intervals gave.
type Verification struct {
	Number     string
	OK         bool
	Checks     []Check // hash, previous, signature, lines, total, journal, state
	Recomputed string  // total
}

// Check is one thing that was verified.
type Check struct {
	Name string
	OK   bool
	Note string
}

// Accepted says what became of each event of a batch.
type Accepted struct{ Stored, Duplicate int }
