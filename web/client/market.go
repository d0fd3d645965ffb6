package client

import "time"

// AuditEntry is one deed.
type AuditEntry struct {
	ID      string            `json:"id"`
	At      time.Time         `json:"at" doc:"By the market's clock."`
	Who     string            `json:"who"`
	Via     string            `json:"via,omitempty"`
	Action  string            `json:"action"`
	Object  string            `json:"object"`
	Org     string            `json:"org,omitempty"`     // id
	Project string            `json:"project,omitempty"` // id
	Detail  map[string]string `json:"detail,omitempty"`
	Seq     int64             `json:"seq"` // 0 until linked
}

// AuditReport is what walking the chain found.
type AuditReport struct {
	OK       bool   `json:"ok"`
	Linked   int64  `json:"linked"`
	Pending  int64  `json:"pending"` // not linked yet
	Heads    int64  `json:"heads"`   // signed heads checked
	FirstBad string `json:"first_bad,omitempty"`
}

// Clock is the market's time beside the wall's.
type Clock struct {
	Market time.Time `json:"market"`
	Wall   time.Time `json:"wall"`
	Offset string    `json:"offset"` // how far the market runs ahead: "744h0m0s"
	Ran    int       `json:"ran,omitempty"`
}

// Advance moves the market's clock forward.
type Advance struct {
	By string `json:"by" doc:"A duration such as 90m, 36h, or days as 31d." minLength:"2"`
}

// Event is a usage event: a CloudEvent 1.0 of which Type is the metric and Subject the instance's id.
type Event struct {
	SpecVersion string    `json:"specversion"` // "1.0"
	ID          string    `json:"id"`
	Source      string    `json:"source"`
	Type        string    `json:"type"`
	Subject     string    `json:"subject"`
	Time        time.Time `json:"time"`
	Data        EventData `json:"data"`
}

// EventData is the quantity that a usage event reports.
type EventData struct {
	Value      string            `json:"value"` // a decimal
	Dimensions map[string]string `json:"dimensions,omitempty"`
}

// Accepted says what became of the events of a batch: stored, or known already.
type Accepted struct {
	Stored    int `json:"stored"`
	Duplicate int `json:"duplicate"`
}
