package look

import "time"

// Usage is what a project used and what it costs so far this month.
type Usage struct {
	Frame
	Month   time.Time
	Total   string
	Shares  []Share
	Lines   []Line
	Usage   []Measure
	Command Command
}

// Template names the page's template.
func (Usage) Template() string { return "usage" }

// Share is how much of the total an instance is.
type Share struct {
	Instance, URL, Provider, Amount string
	Percent                         int
}

// Line is a charge.
type Line struct {
	Description, Provider, Plan, Instance, Project string
	Quantity, Unit, UnitPrice, Amount              string
	From, To                                       time.Time
}

// Invoices is an org's list.
type Invoices struct {
	Frame
	Rows       []InvoiceRow
	PreviewURL string
	Running    string // what the running month comes to so far
	Command    Command
}

// Template names the page's template.
func (Invoices) Template() string { return "invoices" }

// InvoiceRow is one invoice in few words.
type InvoiceRow struct {
	Number, URL, Total string
	Period, IssuedAt   time.Time
	State              Chip
	Sent               string
}

// Invoice is one invoice, or the running month as if it ended now.
type Invoice struct {
	Frame
	Number, Account, Seller, Currency string
	Preview                           bool
	From, To, IssuedAt                time.Time
	State                             Chip
	Sent                              string
	Lines                             []Line
	Subtotal, Discount                string
	Tax                               []TaxRow
	Total, Credit, Due                string
	Hash, Previous, Signature         string
	Verified                          *Verified // nil until somebody asked
	Command                           Command
}

// Template names the page's template.
func (Invoice) Template() string { return "invoice" }

// TaxRow is a tax rate's sum.
type TaxRow struct{ Name, Rate, Amount string }

// Verified is what recomputing the invoice gave.
type Verified struct {
	OK     bool
	Checks []Checked
}

// Checked is one thing that was verified.
type Checked struct {
	Name, Note string
	OK         bool
}
