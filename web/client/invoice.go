package client

import "time"

// Invoice is what an account pays for a period. Amounts and quantities are decimal strings.
type Invoice struct {
	Number        string        `json:"number"`
	Account       string        `json:"account"` // id
	AccountName   string        `json:"account_name,omitempty"`
	Seller        string        `json:"seller"`
	Currency      string        `json:"currency"`
	Period        Period        `json:"period"`
	State         string        `json:"state"`
	Sent          string        `json:"sent,omitempty"` // "not sent", "sending", "sent", with the reason
	IssuedAt      *time.Time    `json:"issued_at"`
	Lines         []InvoiceLine `json:"lines,omitzero"` // not in lists of invoices
	Subtotal      string        `json:"subtotal"`
	Discount      string        `json:"discount"`
	Tax           []Tax         `json:"tax"`
	Total         string        `json:"total"`
	CreditApplied string        `json:"credit_applied"`
	Due           string        `json:"due"`
	Hash          string        `json:"hash"`               // hex SHA-256 of the canonical form
	Previous      string        `json:"previous,omitempty"` // the one before in the series
	Signature     string        `json:"signature,omitempty"`
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
	Instance    string    `json:"instance"` // name
	InstanceID  string    `json:"instance_id"`
	Project     string    `json:"project"` // name
	Metric      string    `json:"metric"`
	Quantity    string    `json:"quantity"`
	Unit        string    `json:"unit,omitempty"`
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

// Verification is what recomputing an invoice from what was stored gave.
type Verification struct {
	Number     string  `json:"number"`
	OK         bool    `json:"ok"`
	Checks     []Check `json:"checks"`
	Recomputed string  `json:"recomputed"` // total
}

// Check is one thing that was verified.
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	Note string `json:"note,omitempty"`
}

// Usage is a metric of an instance, summed over a window.
type Usage struct {
	Instance   string    `json:"instance"` // name
	InstanceID string    `json:"instance_id"`
	Project    string    `json:"project"` // name
	Provider   string    `json:"provider"`
	Offering   string    `json:"offering"`
	Plan       string    `json:"plan"`
	Metric     string    `json:"metric"`
	Quantity   string    `json:"quantity"`
	Unit       string    `json:"unit"`
	From       time.Time `json:"from"`
	To         time.Time `json:"to"`
}

// Costs are the running month's lines, rated as if it ended now.
type Costs struct {
	Currency string        `json:"currency"`
	Lines    []InvoiceLine `json:"lines"`
	Total    string        `json:"total"` // net, before tax
}
