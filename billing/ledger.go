package billing

import (
	"context"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/identity"
)

// Ledger is the room's front. It satisfies broker's Meter and Gate and directory's Accounts.
type Ledger struct{}

// Account is who pays for one or more orgs.
type Account struct {
	ID, Name, Currency string
	Orgs               []string
}

// Period is a UTC calendar month: From inclusive, To exclusive.
type Period struct{ From, To time.Time }

// Invoice is what an account pays for a period. Amounts are decimal strings in major units; field names are DESIGN §6's.
type Invoice struct {
	Number         string // empty for a preview
	Account        string // id
	AccountName    string
	Seller         string
	Currency       string
	Period         Period
	State          string // preview open paid void
	Sent           string // "not sent", "sending", "sent", with the reason
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

// Line is one charge.
type Line struct {
	Description, Provider, Offering, Plan string
	Instance, InstanceName                string
	Project, ProjectName                  string
	Metric, Quantity, Unit, UnitPrice     string
	From, To                              time.Time
	Amount                                string
}

// Tax is one rate's sum over an invoice.
type Tax struct{ Name, Rate, Amount string }

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
	Checks     []Check // hash, previous, signature, lines, total, journal
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

// OpenAccount makes an account with an immutable currency.
func (l *Ledger) OpenAccount(ctx context.Context, name, currency string) (string, error) {
	panic("unbuilt")
}

// Currency is that of the account that pays for an org. It asks no permission: the doors use it for what was already allowed.
func (l *Ledger) Currency(ctx context.Context, org string) (string, error) { panic("unbuilt") }

// LinkOrg lets an account pay for an org.
func (l *Ledger) LinkOrg(ctx context.Context, account, org string) error { panic("unbuilt") }

// Publish writes what the catalog sells into the price book: a new dated version of each plan whose rates or metrics differ from its newest one.
func (l *Ledger) Publish(ctx context.Context, offerings []catalog.Offering) error { panic("unbuilt") }

// Admit is broker's Gate.
func (l *Ledger) Admit(ctx context.Context, order catalog.Snapshot) error { panic("unbuilt") }

// Start opens an interval.
func (l *Ledger) Start(ctx context.Context, s catalog.Snapshot, at time.Time) error { panic("unbuilt") }

// Change ends the interval of the old plan and opens one of the new.
func (l *Ledger) Change(ctx context.Context, s catalog.Snapshot, at time.Time) error {
	panic("unbuilt")
}

// Suspend marks the interval suspended.
func (l *Ledger) Suspend(ctx context.Context, instance string, at time.Time) error { panic("unbuilt") }

// Resume ends a suspension.
func (l *Ledger) Resume(ctx context.Context, instance string, at time.Time) error { panic("unbuilt") }

// Stop ends the interval.
func (l *Ledger) Stop(ctx context.Context, instance string, at time.Time) error { panic("unbuilt") }

// Record stores one event from inside (broker's readings), once.
func (l *Ledger) Record(ctx context.Context, e catalog.Event) error { panic("unbuilt") }

// Ingest stores a batch reported from outside, all or nothing: who must be the provider that sells each instance, or the market's own collector.
// The same event twice is counted as Duplicate; the same id with other content is fault.Conflict.
func (l *Ledger) Ingest(ctx context.Context, who identity.Principal, events []catalog.Event) (Accepted, error) {
	panic("unbuilt")
}

// Usage sums metrics of a scope over a window.
func (l *Ledger) Usage(ctx context.Context, who identity.Principal, s identity.Scope, w Period) ([]UsageRow, error) {
	panic("unbuilt")
}

// Costs rates a scope's running month as if it ended now: the lines that would be invoiced.
func (l *Ledger) Costs(ctx context.Context, who identity.Principal, s identity.Scope) ([]Line, string, error) {
	panic("unbuilt")
}

// Invoices lists the invoices of the account that pays for an org ("" for all, operators only), newest first, without lines.
func (l *Ledger) Invoices(ctx context.Context, who identity.Principal, org string) ([]Invoice, error) {
	panic("unbuilt")
}

// Invoice finds one by number.
func (l *Ledger) Invoice(ctx context.Context, who identity.Principal, number string) (Invoice, error) {
	panic("unbuilt")
}

// Preview is the invoice of an org's account for the running month, as if it ended now.
func (l *Ledger) Preview(ctx context.Context, who identity.Principal, org string) (Invoice, error) {
	panic("unbuilt")
}

// Verify recomputes an invoice from intervals and events, and checks its hash, its place in the chain, its signature and its journal entries.
func (l *Ledger) Verify(ctx context.Context, who identity.Principal, number string) (Verification, error) {
	panic("unbuilt")
}
