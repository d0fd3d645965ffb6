package pages

import (
	"net/url"
	"strings"
	"testing"

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
