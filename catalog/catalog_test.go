package catalog_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/fault"
)

func offered(names ...string) []catalog.Offering {
	var out []catalog.Offering
	for _, n := range names {
		out = append(out, catalog.Offering{
			Name: n, Kind: "postgresql", Description: "A database.", Bindable: true,
			Plans: []catalog.Plan{{Name: "dev", Limits: catalog.Limits{"connections": 5}}, {Name: "small", Limits: catalog.Limits{"connections": 40}}},
		})
	}
	return out
}

func fixed(amount string) []catalog.Rate {
	return []catalog.Rate{{Name: "base", Model: "fixed", Amount: money.MustParse(amount), Per: "month", Hours: 672}}
}

func market(t *testing.T, sources ...catalog.Source) *catalog.Catalog {
	t.Helper()
	c, problems := catalog.Assemble("EUR", sources)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return c
}

func TestAssembleLaysTermsOverWhatTheDriverOffers(t *testing.T) {
	c := market(t, catalog.Source{Provider: "harbour", Region: "eu", Offerings: offered("postgresql"), Terms: []catalog.Terms{{
		Name: "pg", Title: "PostgreSQL", Plans: []catalog.PlanTerms{
			{Name: "small", Rates: fixed("5.00"), Limits: catalog.Limits{"connections": 50}, Capacity: 3},
			{Name: "tiny", From: "dev"},
		},
	}}})
	o, err := c.Offering("pg")
	if err != nil {
		t.Fatal(err)
	}
	if o.Provider != "harbour" || o.Region != "eu" || o.DisplayName != "PostgreSQL" || o.Category != "Databases" || len(o.Tags) != 1 {
		t.Errorf("offering %+v", o)
	}
	small, err := o.Plan("small")
	if err != nil || small.Limits["connections"] != 50 || small.Capacity != 3 || small.Free() {
		t.Errorf("small %+v %v", small, err)
	}
	tiny, err := o.Plan("tiny")
	if err != nil || tiny.Limits["connections"] != 5 || !tiny.Free() {
		t.Errorf("tiny %+v %v", tiny, err)
	}
	if _, err := o.Plan("dev"); !errors.Is(err, fault.NotFound) {
		t.Errorf("a plan that the terms do not list is sold: %v", err)
	}
}

func TestIDsAreStableAndDistinct(t *testing.T) {
	one := market(t, catalog.Source{Provider: "a", Offerings: offered("pg1")}, catalog.Source{Provider: "b", Offerings: offered("pg2")})
	two := market(t, catalog.Source{Provider: "b", Offerings: offered("pg2")}, catalog.Source{Provider: "a", Offerings: offered("pg1")})
	seen := map[string]bool{}
	for _, o := range one.Offerings() {
		again, err := two.Offering(o.Name)
		if err != nil || again.ID != o.ID {
			t.Errorf("%s: id %s then %s (%v)", o.Name, o.ID, again.ID, err)
		}
		for i, p := range o.Plans {
			if again.Plans[i].ID != p.ID {
				t.Errorf("%s:%s: id changed", o.Name, p.Name)
			}
			if seen[p.ID] {
				t.Errorf("plan id %s is there twice", p.ID)
			}
			seen[p.ID] = true
		}
	}
}

func TestEveryProblemIsListedAtOnceAndLeavesTheRestOnSale(t *testing.T) {
	bad := offered("Bad Name")[0]
	bad.Kind, bad.Description = "oracle", ""
	bad.Plans[0].Limits = catalog.Limits{"connections": -1}
	bad.Plans[1].Schemas.Create = json.RawMessage(`{"type": 5}`)
	c, problems := catalog.Assemble("EUR", []catalog.Source{
		{Provider: "a", Offerings: offered("pg")},
		{Provider: "b", Offerings: offered("pg")},
		{Provider: "c", Offerings: []catalog.Offering{bad}},
		{Provider: "d", Offerings: offered("pg4"), Terms: []catalog.Terms{{Plans: []catalog.PlanTerms{{Name: "larg"}}}, {Offering: "pg5"}}},
	})
	if list := c.Offerings(); len(list) != 1 || list[0].Provider != "a" {
		t.Errorf("on sale: %+v", list)
	}
	var all []string
	for _, p := range problems {
		all = append(all, p.Path+" "+p.Reason)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{
		`providers/b the name "pg" is taken by provider a`, `providers/c/name "Bad Name"`, `providers/c/kind the kind "oracle"`, "providers/c/description",
		"providers/c/plans/0/limits/connections -1", "providers/c/plans/1/schemas/create", `providers/d/offerings/0/plans/0 the driver has no plan "larg"`,
		"providers/d/offerings/0/plans there is no plan", `providers/d/offerings/1/offering the driver offers no "pg5" Did you mean "pg4"?`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in\n%s", want, text)
		}
	}
}

func TestVisibility(t *testing.T) {
	o := market(t, catalog.Source{Provider: "a", Offerings: offered("pg"), Terms: []catalog.Terms{{Plans: []catalog.PlanTerms{
		{Name: "dev"}, {Name: "small", Visibility: catalog.Visibility{Orgs: []string{"acme"}, Platforms: []string{"cf"}}},
	}}}}).Offerings()[0]
	for _, c := range []struct {
		org, platform string
		plans         int
	}{{"acme", "", 2}, {"other", "", 1}, {"other", "cf", 2}, {"", "", 1}} {
		if got, ok := o.VisibleTo(c.org, c.platform); !ok || len(got.Plans) != c.plans {
			t.Errorf("%q %q sees %d plans, want %d", c.org, c.platform, len(got.Plans), c.plans)
		}
	}
	o.Visibility.Orgs = []string{"acme"}
	if _, ok := o.VisibleTo("other", ""); ok {
		t.Error("an offering for acme alone is seen by another")
	}
}

func TestChoose(t *testing.T) {
	c := market(t,
		catalog.Source{Provider: "harbour", Region: "eu", Offerings: offered("pg-eu"), Terms: []catalog.Terms{{Plans: []catalog.PlanTerms{{Name: "small", Rates: fixed("5.00"), Capacity: 2}}}}},
		catalog.Source{Provider: "quay", Region: "eu", Offerings: offered("pg-quay"), Terms: []catalog.Terms{{Plans: []catalog.PlanTerms{{Name: "small", Rates: fixed("6.40")}}}}},
		catalog.Source{Provider: "lighthouse", Region: "us", Offerings: offered("pg-us"), Terms: []catalog.Terms{{Plans: []catalog.PlanTerms{{Name: "small", Rates: fixed("4.90")}}}}},
	)
	list := c.Offerings()
	candidates := func(closed, cordoned string, used int) []catalog.Candidate {
		var out []catalog.Candidate
		for _, o := range list {
			out = append(out, catalog.Candidate{Offering: o, Open: o.Provider != closed && o.Provider != cordoned, Cordoned: o.Provider == cordoned, Why: "cordoned", Used: map[string]int{list[0].Plans[0].ID: used}})
		}
		return out
	}
	for name, tc := range map[string]struct {
		need             catalog.Need
		closed, cordoned string
		used             int
		want             string
		kind             fault.Kind
		mention          string
	}{
		"cheapest anywhere":      {need: catalog.Need{Want: "postgresql"}, want: "lighthouse", mention: "cheapest of 3"},
		"region first":           {need: catalog.Need{Want: "postgresql", Region: "eu"}, want: "harbour", mention: "5.00 EUR a month"},
		"full goes next":         {need: catalog.Need{Want: "postgresql", Region: "eu"}, used: 2, want: "quay", mention: "2 fit"},
		"closed goes next":       {need: catalog.Need{Want: "postgresql"}, closed: "lighthouse", want: "harbour"},
		"by offering":            {need: catalog.Need{Want: "pg-quay"}, want: "quay", mention: "the only one that fits"},
		"by provider":            {need: catalog.Need{Want: "postgresql", Provider: "quay"}, want: "quay"},
		"near enough goes first": {need: catalog.Need{Want: "postgresql", Within: 5 * time.Millisecond, RTT: map[string]time.Duration{"lighthouse": 80 * time.Millisecond, "quay": time.Millisecond}}, want: "quay", mention: ", 1ms away"},
		"not measured is not near": {
			need: catalog.Need{Want: "postgresql", Within: time.Millisecond, RTT: map[string]time.Duration{"quay": 2 * time.Millisecond}}, kind: fault.Refused,
			mention: "harbour could not be measured, quay answers after 2ms, lighthouse could not be measured",
		},
		"only one, cordoned":    {need: catalog.Need{Want: "pg-us"}, cordoned: "lighthouse", kind: fault.Refused, mention: "lighthouse: cordoned"},
		"only one, closed":      {need: catalog.Need{Want: "pg-us"}, closed: "lighthouse", kind: fault.Unavailable, mention: "lighthouse: cordoned"},
		"only one, full":        {need: catalog.Need{Want: "pg-eu"}, used: 2, kind: fault.Refused, mention: "full"},
		"unknown":               {need: catalog.Need{Want: "postgres"}, kind: fault.NotFound, mention: `Did you mean "postgresql"?`},
		"unknown region":        {need: catalog.Need{Want: "postgresql", Region: "mars"}, kind: fault.NotFound, mention: "It has: eu, us."},
		"unknown plan":          {need: catalog.Need{Want: "postgresql", Plan: "smal"}, kind: fault.NotFound, mention: `Did you mean "small"?`},
		"not in this currency":  {need: catalog.Need{Want: "postgresql", Currency: "USD"}, kind: fault.Refused, mention: "not sold in USD"},
		"provider and region":   {need: catalog.Need{Want: "postgresql", Provider: "quay", Region: "us"}, kind: fault.NotFound, mention: `no region "us"`},
		"plan of that provider": {need: catalog.Need{Want: "postgresql", Provider: "harbour", Plan: "small"}, want: "harbour"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.need.Currency == "" {
				tc.need.Currency = "EUR"
			}
			got, err := catalog.Choose(candidates(tc.closed, tc.cordoned, tc.used), tc.need)
			text := got.Why
			if err != nil {
				text = err.Error()
			}
			if (tc.kind == "") != (err == nil) || tc.kind != "" && !errors.Is(err, tc.kind) || got.Offering.Provider != tc.want || !strings.Contains(text, tc.mention) {
				t.Errorf("got %q, %v, %q; want %q, %v, mention of %q", got.Offering.Provider, err, text, tc.want, tc.kind, tc.mention)
			}
		})
	}
}

func TestMonthly(t *testing.T) {
	p := catalog.Plan{Prices: map[string][]catalog.Rate{"EUR": append(fixed("5.00"), catalog.Rate{Name: "calls", Model: "per_unit", Metric: "requests", Unit: money.MustParse("0.001")}, fixed("1.50")[0])}}
	if got, ok := p.Monthly("EUR"); !ok || got.Cmp(money.MustParse("6.5")) != 0 {
		t.Errorf("EUR %s %v", got, ok)
	}
	if _, ok := p.Monthly("USD"); ok {
		t.Error("a plan without a price in USD is sold in USD")
	}
	if got, ok := (catalog.Plan{}).Monthly("USD"); !ok || !got.IsZero() {
		t.Errorf("a free plan: %s %v", got, ok)
	}
}
