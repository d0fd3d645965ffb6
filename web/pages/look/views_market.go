package look

import "time"

// Market is the marketplace.
type Market struct {
	Frame
	Sellers   int
	Total     int
	Kinds     []Facet
	Regions   []Facet
	Providers []Facet
	Cards     []Card
	Compared  []Rival // plans side by side, when one kind is chosen
	Order     Order   // of those
	Reach     Reach   // how far the providers are
	ClearURL  string  // without any filter; empty when there is none
	Command   Command
}

// Template names the page's template.
func (Market) Template() string { return "market" }

// Facet is one filter: following it turns it on or off and keeps the others.
type Facet struct {
	Label, URL string
	Count      int
	On         bool
}

// Card is an offering in the marketplace.
type Card struct {
	URL, Kind, Title, Name string
	Provider, Region, Line string
	Tags                   []string
	From                   Price
	Plans                  int
	Status                 Chip // empty word: selling
	Near                   Distance
}

// Distance is how far a provider is from somewhere: until the first answer of its protocol. Without From nobody has measured it.
type Distance struct {
	Provider, Region string
	From, Hosts      string // an app's name or "the market"; the app's hosts
	App              bool
	P50, P95         string
	Median           time.Duration // P50, to sort by
	Tries            int
	At               time.Time // of the last measuring, wall time
}

// Reach is a list of distances. Its times are the wall's, not the market's.
type Reach struct {
	Now     time.Time
	Rows    []Distance
	Command Command // measures from where it is run
}

// Order is how a comparison is sorted, with the address of the other way.
type Order struct {
	Near bool // the nearest first, not the cheapest
	URL  string
}

// Price is what a plan costs in words: the number people look for, and how it comes about.
type Price struct {
	Big, Small string
	Unit       string   // what Big is for: "a month"
	Metered    []string // each metered rate in words
}

// Limit is something a plan holds.
type Limit struct{ Name, Value string }

// PlanBox is a plan on its offering's page.
type PlanBox struct {
	Name, Title, Line string
	Price             Price
	Limits            []Limit
	URL               string // of the form; empty when it cannot be bought now
	Room              string // how much of it is left, or why there is none
	Full, Lapsed      bool   // it cannot be bought: all of it is taken, or it is not sold any more
}

// Rival is a plan of the same kind of backend from somebody (maybe the same seller).
type Rival struct {
	URL, Name, Provider, Region, Plan string
	PlanName                          string // as it is asked for; Plan is its title
	Price                             Price
	Limits                            []Limit
	Status                            Chip
	Open                              bool // takes new instances
	Current                           bool
	Near                              Distance
}

// Offering is one offering with its plans.
type Offering struct {
	Frame
	Card      Card
	Docs      string
	Open      bool
	Why       string // when not open
	Plans     []PlanBox
	Rivals    []Rival
	Reach     Reach // how far it is, and the others of its kind
	Alias     string
	Variables []Variable
	Commands  []Command
}

// Template names the page's template.
func (Offering) Template() string { return "offering" }

// Variable is one environment variable of an app.
type Variable struct {
	Name, Value string
	Secret      bool   // shown only after Reveal
	About       string // what it holds, where nothing is bound yet
}

// Provision is the form that buys an instance.
type Provision struct {
	Frame
	Card     Card
	Plans    []PlanChoice
	Name     Field
	App      Field
	Alias    Field
	Preview  []string // names of the variables the app would get
	Params   []Field
	Quote    Quote
	Problems []string // what was wrong that belongs to no field
	Command  Command
	Open     bool
	Why      string
}

// Template names the page's template.
func (Provision) Template() string { return "provision" }

// PlanChoice is a plan in the form.
type PlanChoice struct {
	Name, Title string
	Price       Price
	On          bool
	Limits      []Limit
	Differs     string // what a month costs more or less than now; in the form that changes a plan
}

// Quote says what would be paid.
type Quote struct {
	Plan    string
	Monthly string // the most that the fixed rates come to
	Hourly  string // empty unless charged by the hour
	Once    string
	Metered []string
	Free    bool
}

// facets is a named group of filters.
type facets struct {
	Name  string
	Items []Facet
}
