package pages

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/web/pages/look"
)

func offers() []broker.Offer {
	price := func(s string) map[string][]catalog.Rate {
		return map[string][]catalog.Rate{"EUR": {{Name: "base", Model: "fixed", Amount: money.MustParse(s), Per: "month", Hours: 672}}}
	}
	return []broker.Offer{
		{Status: providers.Up, Offering: catalog.Offering{
			Name: "postgresql", Kind: "postgresql", DisplayName: "PostgreSQL", Description: "A relational database.", Provider: "harbour", Region: "eu-central",
			Plans: []catalog.Plan{{Name: "small", Prices: price("5")}, {Name: "dev"}},
		}},
		{Status: providers.Up, Offering: catalog.Offering{Name: "pg-west", Kind: "postgresql", Provider: "quay", Region: "eu-west", Plans: []catalog.Plan{{Name: "s", Prices: price("4")}}}},
		{Status: providers.Starting, Note: "no answer yet", Offering: catalog.Offering{Name: "nats", Kind: "nats", DisplayName: "NATS", Tags: []string{"messaging", "queue"}, Provider: "embedded", Region: "local", Plans: []catalog.Plan{{Name: "standard", Prices: price("3")}}}},
	}
}

func TestMarketFiltersAndForgivesSlips(t *testing.T) {
	for query, want := range map[string]string{
		"": "postgresql pg-west nats", "q=postgres": "postgresql pg-west", "q=posgtres": "postgresql pg-west", "q=postgrse+relational": "postgresql", "q=mesaging": "nats",
		"q=xyz": "", "q=nat": "nats", "q=nut": "", "kind=nats": "nats", "region=eu-west": "pg-west", "provider=harbour&kind=nats": "", "q=queue&kind=nats": "nats",
	} {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Fatal(err)
		}
		page := marketPage(look.Frame{Org: "acme", Project: "shop"}, "/m", filterOf(values), offers(), nil)
		var got []string
		for _, c := range page.Cards {
			got = append(got, c.Name)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q shows %q, want %q", query, got, want)
		}
	}
}

func TestFacetsKeepTheOtherFilters(t *testing.T) {
	page := marketPage(look.Frame{}, "/m", filter{query: "postgres", region: "eu-west"}, offers(), nil)
	kind := page.Kinds[0]
	if kind.On || kind.Count != 1 || kind.URL != "/m?kind=postgresql&q=postgres&region=eu-west" {
		t.Errorf("kind facet: %+v", kind)
	}
	for _, f := range page.Regions {
		if f.Label == "eu-west" && (!f.On || f.URL != "/m?q=postgres") {
			t.Errorf("a facet that is on does not lead off: %+v", f)
		}
	}
	if page.ClearURL != "/m" || page.Sellers != 3 || page.Total != 3 {
		t.Errorf("page: %+v", page)
	}
}

func TestCardsShowTheCheapestPlanAndWhatIsWrong(t *testing.T) {
	page := marketPage(look.Frame{Org: "acme", Project: "shop"}, "/m", filter{}, offers(), nil)
	if c := page.Cards[0]; c.From.Big != "free" || c.Status.Word != "" || c.URL != "/o/acme/shop/marketplace/postgresql" {
		t.Errorf("card: %+v", c)
	}
	if c := page.Cards[2]; c.From.Big != "€3" || c.Status.Word != "starting" {
		t.Errorf("card: %+v", c)
	}
}

func TestOfferingThatIsNotUpCannotBeChosen(t *testing.T) {
	all := offers()
	page := offeringPage(look.Frame{Org: "acme", Project: "shop"}, true, all, all[2])
	if page.Open || page.Plans[0].URL != "" || !strings.Contains(page.Why, "no answer yet") {
		t.Errorf("page: %+v", page)
	}
	page = offeringPage(look.Frame{Org: "acme", Project: "shop"}, true, all, all[0])
	if !page.Open || page.Plans[0].URL == "" || len(page.Rivals) != 3 || page.Rivals[0].Plan != "dev" || page.Rivals[1].Name != "pg-west" || page.Rivals[1].Current || page.Variables[0].Name != "DATABASE_URL" {
		t.Errorf("page: %+v", page)
	}
	if page = offeringPage(look.Frame{}, false, all, all[0]); page.Plans[0].URL != "" {
		t.Error("who may not create is offered to")
	}
}

func TestCommandsAreQuotedForAShell(t *testing.T) {
	if got := command("sutler", "create", "pg:small", "it's; rm -rf /"); got != `sutler create pg:small 'it'\''s; rm -rf /'` {
		t.Errorf("command reads %s", got)
	}
}

func TestWhatCannotBeOrderedSaysWhy(t *testing.T) {
	all := offers()
	all[0].Plans[0].ID, all[0].Plans[0].Capacity, all[0].Taken = "p1", 3, map[string]int{"p1": 3}
	all[0].Plans[1].ID, all[0].Plans[1].Capacity = "p2", 5
	all[1].Lapsed = []broker.Lapse{{Plan: catalog.Plan{Name: "xl"}, Since: time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), Why: "quay does not sell it any more."}}
	all = append(all, broker.Offer{Status: providers.Up, Offering: catalog.Offering{Name: "pg-old", Kind: "postgresql", Provider: "attic", Region: "eu-west"}, Lapsed: all[1].Lapsed})
	all[2].Status, all[2].Note, all[2].Kind = providers.Cordoned, "New disks.", "postgresql"
	want := map[string]string{
		"postgresql:small": "full: Full: all 3 are taken.", "postgresql:dev": "selling: 5 of 5 left", "pg-west:s": "selling: ", "nats:standard": "cordoned: Takes no new instances: New disks.",
		"pg-west:xl": "off sale: quay does not sell it any more. Off sale since 20 Nov 2026; what lives on it goes on.", "pg-old:xl": "off sale: quay does not sell it any more. Off sale since 20 Nov 2026; what lives on it goes on.",
	}
	for n, r := range compared(look.Frame{}, all, "postgresql") {
		key := r.Name + ":" + r.PlanName
		if got := r.Status.Word + ": " + r.Status.Note; got != want[key] || r.Open != (r.Status.Word == "selling") || r.Open != (n < 2) {
			t.Errorf("%d %s (open: %t): %q, want %q", n, key, r.Open, got, want[key])
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("not shown: %v", want)
	}
	page := offeringPage(look.Frame{Org: "acme", Project: "shop"}, true, all, all[0])
	if page.Plans[0].URL != "" || !page.Plans[0].Full || page.Plans[1].URL == "" || page.Plans[1].Room != "5 of 5 left" {
		t.Errorf("plans: %+v", page.Plans)
	}
	if page = offeringPage(look.Frame{}, true, all, all[3]); page.Open || !strings.Contains(page.Why, "Off sale since") || !page.Plans[0].Lapsed || page.Card.Status.Word != "off sale" {
		t.Errorf("off sale: %+v", page)
	}
	if market := marketPage(look.Frame{}, "/m", filter{}, all, nil); market.Total != 3 || market.Cards[3].Status.Word != "off sale" || market.Sellers != 3 {
		t.Errorf("market: %d offerings of %d, %+v", market.Total, market.Sellers, market.Cards)
	}
	for limit, want := range map[int]string{0: "", 4: "of 4"} {
		if got := capacity([]broker.Offer{{Offering: catalog.Offering{Provider: "x", Plans: []catalog.Plan{{Capacity: limit}}}}}, "x"); got != want {
			t.Errorf("capacity %d reads %q", limit, got)
		}
	}
}
