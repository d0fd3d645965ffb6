package catalog

import "github.com/sutlerhq/sutler/catalog/money"

// Need is what somebody wants: a Kind or an offering, and optionally a plan, a provider, a region.
type Need struct {
	Want     string // Kind or offering name (or id)
	Plan     string // name; empty: any
	Provider string
	Region   string
	Currency string // prices are compared in it
}

// Candidate is an offering that could serve, with what is known of it now.
type Candidate struct {
	Offering Offering
	Open     bool           // takes new instances now
	Why      string         // when not open: why
	Used     map[string]int // live instances by plan id
}

// Choice is what was chosen and why, for people.
type Choice struct {
	Offering Offering
	Plan     Plan
	Why      string
	Monthly  money.Decimal // what the plan's fixed rates come to for a whole month, in the need's currency
}
