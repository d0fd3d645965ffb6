package look

import (
	"strings"
	"time"
)

// Page is a view that a template of its own name shows.
type Page interface{ Template() string }

// Frame is what every page has around it.
type Frame struct {
	Title    string
	Section  string // the navigation entry that is current
	Now      time.Time
	Who      *Visitor // nil: nobody is signed in
	Org      string   // names of the place the page is in; empty outside one
	Project  string
	Places   []Place // what the switcher offers
	Money    bool    // may see the org's invoices
	Operator bool    // may see the market's own pages
	Dev      bool    // a market to play with
	Live     string  // address of the page's event stream, empty when nothing on it moves
	Pending  bool    // something on it is moving now: without script the page reloads itself
	Notice   Notice
	Search   string
	Currency string // prices are shown in
}

// Visitor is who is signed in.
type Visitor struct{ Name, Email, Initials string }

// Place is a project one may switch to.
type Place struct {
	Org, Project string
	Current      bool
}

// URL is where the place's marketplace is.
func (p Place) URL() string { return "/o/" + p.Org + "/" + p.Project + "/marketplace" }

// Notice is one sentence about what just happened.
type Notice struct{ Tone, Text string }

// Base is the address that the project's pages begin with; empty outside a project.
func (f Frame) Base() string {
	if f.Project == "" {
		return ""
	}
	return "/o/" + f.Org + "/" + f.Project
}

// Market is where the marketplace of this place is.
func (f Frame) Market() string { return f.Base() + "/marketplace" }

// Chip is a state: a mark, a word, and for people who hover the reason.
type Chip struct{ Tone, Word, Note string }

// Command is a line for a shell; every action shows the one that does the same.
type Command string

// Choice is one entry of a list to choose from.
type Choice struct {
	Value, Label, Note string
	On                 bool
}

// Field is one input of a form, with what was typed and what was wrong with it.
type Field struct {
	Name, Label, Help string
	Kind              string // text number select json password
	Value, Error      string
	Required          bool
	Min, Max, Pattern string
	Step              string
	Placeholder       string
	Options           []Choice
	Of                string // tells fields of one name on a page apart
}

// ID is the field's element id.
func (f Field) ID() string { return strings.TrimSuffix("f-"+f.Name+"-"+f.Of, "-") }
