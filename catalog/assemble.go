package catalog

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/internal/suggest"
)

// Terms are what the market's operator configures about one offering of a provider. Without terms an offering is sold as its driver
// offers it, free of charge; with terms only the plans they list are sold (all, when they list none).
type Terms struct {
	Offering    string      `yaml:"offering"` // the driver's name for it; empty when the driver has only one
	Name        string      `yaml:"name"`     // the market's name; empty: the driver's
	Title       string      `yaml:"title"`
	Description string      `yaml:"description"`
	Docs        string      `yaml:"docs"`
	Tags        []string    `yaml:"tags"`
	Visibility  Visibility  `yaml:"visibility"`
	Plans       []PlanTerms `yaml:"plans"`
}

// PlanTerms are what the operator configures about one plan. Rates are in the market's currency; Prices adds other currencies.
type PlanTerms struct {
	Name        string            `yaml:"name"`
	From        string            `yaml:"from"` // the driver's plan it is made from; empty: the one of the same name
	Title       string            `yaml:"title"`
	Description string            `yaml:"description"`
	Limits      Limits            `yaml:"limits"` // over the driver's
	Metrics     []Metric          `yaml:"metrics"`
	Rates       []Rate            `yaml:"rates"`
	Prices      map[string][]Rate `yaml:"prices"`
	Capacity    int               `yaml:"capacity"`
	MaxPolling  *time.Duration    `yaml:"maximum_polling_duration"` // over the driver's; whole seconds
	AppOnly     bool              `yaml:"app_only"`                 // refuse service keys: a platform must say for which app it binds
	Targets     []string          `yaml:"targets"`                  // plans an instance may change to; empty: the driver's, which may be all
	Visibility  Visibility        `yaml:"visibility"`
}

// Source is one provider's part of the catalog: what its driver offers and what the operator configured about it.
type Source struct {
	Provider, Region string
	Offerings        []Offering
	Terms            []Terms
}

// Assemble makes the catalog out of its sources. What is wrong with a source is listed, every problem at once, and what is wrong is left
// out: one bad offering takes no other off the shelf. currency is the market's.
func Assemble(currency string, sources []Source) (*Catalog, []fault.Field) {
	a := assembly{currency: currency, taken: map[string]string{}}
	for _, s := range sources {
		a.source(s)
	}
	return &Catalog{a.out}, a.problems
}

type assembly struct {
	currency string
	taken    map[string]string // offering name -> provider
	out      []Offering
	problems []fault.Field
}

func (a *assembly) wrong(path, format string, v ...any) {
	a.problems = append(a.problems, fault.Field{Path: path, Reason: fmt.Sprintf(format, v...)})
}

func (a *assembly) source(s Source) {
	at := "providers/" + s.Provider
	if len(s.Terms) == 0 {
		for _, o := range s.Offerings {
			a.add(at, s, o)
		}
		return
	}
	for i, t := range s.Terms {
		at := fmt.Sprintf("%s/offerings/%d", at, i)
		o, ok := t.find(s.Offerings)
		if !ok {
			a.wrong(at+"/offering", "the driver offers no %q%s", t.Offering, suggest.DidYouMean(t.Offering, names(s.Offerings, offeringName)))
			continue
		}
		a.add(at, s, a.apply(at, t, o))
	}
}

// find gives the driver's offering that the terms are about.
func (t Terms) find(offerings []Offering) (Offering, bool) {
	for _, o := range offerings {
		if o.Name == t.Offering || t.Offering == "" && (len(offerings) == 1 || o.Name == t.Name) {
			return o, true
		}
	}
	return Offering{}, false
}

// apply lays the terms over what the driver offers.
func (a *assembly) apply(at string, t Terms, o Offering) Offering {
	o.Name = or(t.Name, o.Name)
	o.DisplayName, o.Description, o.Docs = or(t.Title, o.DisplayName), or(t.Description, o.Description), or(t.Docs, o.Docs)
	if len(t.Tags) > 0 {
		o.Tags = t.Tags
	}
	o.Visibility = t.Visibility
	if len(t.Plans) == 0 {
		return o
	}
	offered := o.Plans
	o.Plans = nil
	for i, pt := range t.Plans {
		at := fmt.Sprintf("%s/plans/%d", at, i)
		from := or(pt.From, pt.Name)
		k := slices.IndexFunc(offered, func(p Plan) bool { return p.Name == from })
		if k < 0 {
			a.wrong(at, "the driver has no plan %q to make %q from; it has %v", from, pt.Name, names(offered, planName))
			continue
		}
		if !pt.patient() {
			a.wrong(at+"/maximum_polling_duration", "must be whole seconds from 1s to %s, not %s", longestPolling, *pt.MaxPolling)
			pt.MaxPolling = nil
		}
		o.Plans = append(o.Plans, pt.apply(a.currency, offered[k]))
	}
	return o
}

// longestPolling is how long operations of a plan that says nothing are tried; none is tried longer.
const longestPolling = 7 * 24 * time.Hour

// patient tells whether operations are given a time that platforms can be told: they count whole seconds.
func (t PlanTerms) patient() bool {
	d := t.MaxPolling
	return d == nil || *d >= time.Second && *d <= longestPolling && *d%time.Second == 0
}

func (t PlanTerms) apply(currency string, p Plan) Plan {
	p.Name = t.Name
	p.DisplayName, p.Description = or(t.Title, p.DisplayName), or(t.Description, p.Description)
	p.Limits = maps.Clone(p.Limits)
	if p.Limits == nil {
		p.Limits = Limits{}
	}
	maps.Copy(p.Limits, t.Limits)
	if len(t.Metrics) > 0 {
		p.Metrics = t.Metrics
	}
	if len(t.Prices) > 0 || len(t.Rates) > 0 {
		p.Prices, p.Unpriced = maps.Clone(t.Prices), "" // else what the driver itself asks for stays
	}
	if len(t.Rates) > 0 {
		if p.Prices == nil {
			p.Prices = map[string][]Rate{}
		}
		p.Prices[currency] = t.Rates
	}
	p.Capacity, p.Visibility = t.Capacity, t.Visibility
	p.AppOnly = p.AppOnly || t.AppOnly
	if t.MaxPolling != nil {
		p.MaxPolling = *t.MaxPolling
	}
	if len(t.Targets) > 0 {
		p.Targets = t.Targets
	}
	return p
}

// add gives the offering its ids and takes it in unless something is wrong with it.
func (a *assembly) add(at string, s Source, o Offering) {
	o.Provider, o.Region = s.Provider, s.Region
	o.ID = ids.Stable("offering", s.Provider, o.Name)
	info, _ := o.Kind.Info()
	o.DisplayName, o.Category = or(o.DisplayName, info.Title), or(o.Category, info.Category)
	if len(o.Tags) == 0 {
		o.Tags = []string{string(o.Kind)} // a platform's command line breaks without one
	}
	if o.Withheld != "" {
		a.wrong(at, "%s is not sold: %s", o.Name, o.Withheld)
		return
	}
	o.Plans = slices.DeleteFunc(slices.Clone(o.Plans), func(p Plan) bool {
		if p.Unpriced != "" {
			a.wrong(at, "the plan %s of %s is not sold: %s", p.Name, o.Name, p.Unpriced)
		}
		return p.Unpriced != ""
	})
	for i := range o.Plans {
		o.Plans[i].ID = ids.Stable("plan", o.ID, o.Plans[i].Name)
		o.Plans[i].DisplayName = or(o.Plans[i].DisplayName, o.Plans[i].Name)
		o.Plans[i].Description = or(o.Plans[i].Description, o.Description)
	}
	found := o.problems(at)
	if by, ok := a.taken[o.Name]; ok {
		found = append(found, fault.Field{Path: at, Reason: fmt.Sprintf("the name %q is taken by provider %s; give this one another with name:", o.Name, by)})
	}
	a.problems = append(a.problems, found...)
	if len(found) == 0 {
		a.taken[o.Name] = s.Provider
		a.out = append(a.out, o)
	}
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
