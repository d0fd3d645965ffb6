package pages

import (
	"cmp"
	"slices"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// card shows an offer in few words, in the place that the frame stands in.
func card(f look.Frame, o broker.Offer) look.Card {
	info, _ := o.Kind.Info()
	c := look.Card{
		URL: f.Market() + "/" + o.Name, Kind: string(o.Kind), Title: cmp.Or(o.DisplayName, info.Title, o.Name), Name: o.Name,
		Provider: o.Provider, Region: o.Region, Line: o.Description, Plans: len(o.Plans),
		Tags: slices.DeleteFunc(slices.Clone(o.Tags), func(t string) bool { return t == o.Name }), // the name has its own place
	}
	if o.Status != providers.Up {
		c.Status = offerChip(o)
	}
	if p, ok := cheapest(o.Offering, f.Currency); ok {
		c.From = look.PriceOf(p, f.Currency)
	}
	return c
}

func cheapest(o catalog.Offering, currency string) (catalog.Plan, bool) {
	if len(o.Plans) == 0 {
		return catalog.Plan{}, false
	}
	return slices.MinFunc(o.Plans, func(a, b catalog.Plan) int {
		if a.Free() != b.Free() {
			return map[bool]int{true: -1, false: 1}[a.Free()]
		}
		return look.Monthly(a, currency).Cmp(look.Monthly(b, currency))
	}), true
}

func offerChip(o broker.Offer) look.Chip {
	switch o.Status {
	case providers.Up:
		return look.Chip{Tone: "good", Word: "selling"}
	case providers.Starting:
		return look.Chip{Tone: "note", Word: "starting", Note: o.Note}
	case providers.Cordoned:
		return look.Chip{Tone: "care", Word: "cordoned", Note: o.Note}
	}
	return look.Chip{Tone: "bad", Word: "down", Note: o.Note}
}

// whyShut says why an offer takes no new instances; empty when it does.
func whyShut(o broker.Offer) string {
	why := map[providers.Status]string{
		providers.Starting: "Its provider is starting. New instances are taken as soon as it answers.",
		providers.Cordoned: "Its provider takes no new instances for now.",
		providers.Down:     "Its provider does not answer now, so it takes no new instances.",
	}[o.Status]
	if why != "" && o.Note != "" {
		why += " (" + o.Note + ")"
	}
	return why
}

// offerNamed finds an offer in the market that somebody sees.
func offerNamed(offers []broker.Offer, name string) (broker.Offer, error) {
	for _, o := range offers {
		if o.Name == name {
			return o, nil
		}
	}
	return broker.Offer{}, fault.NotFound.Errorf("There is no offering %q.", name).WithHint("See the marketplace for what there is.")
}

// rivals lists the offers of one kind, cheapest first, when there are at least two.
func rivals(f look.Frame, offers []broker.Offer, one broker.Offer) []look.Rival {
	same := slices.DeleteFunc(slices.Clone(offers), func(o broker.Offer) bool { return o.Kind != one.Kind || len(o.Plans) == 0 })
	if len(same) < 2 {
		return nil
	}
	slices.SortStableFunc(same, func(a, b broker.Offer) int {
		p, _ := cheapest(a.Offering, f.Currency)
		q, _ := cheapest(b.Offering, f.Currency)
		return look.Monthly(p, f.Currency).Cmp(look.Monthly(q, f.Currency))
	})
	list := make([]look.Rival, 0, len(same))
	for _, o := range same {
		p, _ := cheapest(o.Offering, f.Currency)
		list = append(list, look.Rival{
			URL: f.Market() + "/" + o.Name, Name: o.Name, Provider: o.Provider, Region: o.Region, Plan: planTitle(p),
			Price: look.PriceOf(p, f.Currency), Status: offerChip(o), Current: o.Name == one.Name,
		})
	}
	return list
}

func planTitle(p catalog.Plan) string { return cmp.Or(p.DisplayName, p.Name) }

// alias is the customary name of an app's first binding of a kind.
func alias(k catalog.Kind) string {
	info, _ := k.Info()
	return info.Alias
}

// holds says what the customary variables hold.
var holds = map[string]string{
	"URL": "everything in one address, password included", "HOST": "where it listens", "PORT": "the port there", "USERNAME": "a user of this binding alone",
	"PASSWORD": "that user's password", "DATABASE": "the name of the database", "SSLMODE": "how the server is checked", "VHOST": "the name of the virtual host", "ENDPOINT": "where the store listens",
	"BUCKET": "the name of the bucket", "ACCESS_KEY_ID": "a key of this binding alone", "SECRET_ACCESS_KEY": "that key's secret",
}

// variables are the names that a binding of this kind customarily brings. Which a backend really grants is known when it is bound.
func variables(k catalog.Kind, alias string) []look.Variable {
	parts := []string{"URL", "HOST", "PORT", "USERNAME", "PASSWORD"}
	switch k {
	case "postgresql":
		parts = append(parts, "DATABASE", "SSLMODE")
	case "mysql":
		parts = append(parts, "DATABASE")
	case "rabbitmq":
		parts = append(parts, "VHOST")
	case "s3":
		parts = []string{"URL", "ENDPOINT", "BUCKET", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"}
	}
	list := make([]look.Variable, 0, len(parts))
	for _, part := range parts {
		list = append(list, look.Variable{Name: alias + "_" + part, Secret: true})
	}
	return list
}
