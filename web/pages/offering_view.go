package pages

import (
	"cmp"
	"fmt"
	"math/big"
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
	if o.Status != providers.Up || len(o.Plans) == 0 && len(o.Lapsed) > 0 {
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

// offerChip says whether an offer can be ordered, and why not.
func offerChip(o broker.Offer) look.Chip {
	if len(o.Plans) == 0 && len(o.Lapsed) > 0 {
		return look.Chip{Tone: "off", Word: "off sale", Note: lapse(o.Lapsed[0])}
	}
	c := statusChip(o.Status, o.Note)
	if o.Status == providers.Cordoned && c.Note != "" {
		c.Note = "Takes no new instances: " + c.Note
	}
	return c
}

// lapse says since when a plan is not sold any more, and why.
func lapse(l broker.Lapse) string {
	return l.Why + " Off sale since " + l.Since.UTC().Format("2 Jan 2006") + "; what lives on it goes on."
}

// room says how much is left of a limited plan, and whether that is nothing.
func room(o broker.Offer, p catalog.Plan) (text string, full bool) {
	if p.Capacity == 0 {
		return "", false
	}
	left := max(0, p.Capacity-o.Taken[p.ID])
	if left == 0 {
		return fmt.Sprintf("Full: all %d are taken.", p.Capacity), true
	}
	return fmt.Sprintf("%d of %d left", left, p.Capacity), false
}

// statusChip says whether a provider sells, and why not.
func statusChip(s providers.Status, why string) look.Chip {
	switch s {
	case providers.Up:
		return look.Chip{Tone: "good", Word: "selling"}
	case providers.Starting:
		return look.Chip{Tone: "note", Word: "starting", Note: why}
	case providers.Cordoned:
		return look.Chip{Tone: "care", Word: "cordoned", Note: why}
	}
	return look.Chip{Tone: "bad", Word: "down", Note: why}
}

// whyShut says why an offer takes no new instances; empty when it does.
func whyShut(o broker.Offer) string {
	if len(o.Plans) == 0 && len(o.Lapsed) > 0 {
		return lapse(o.Lapsed[0])
	}
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

// compared lists every plan of a kind side by side: what can be bought first, then the cheapest month first.
func compared(f look.Frame, offers []broker.Offer, kind string) []look.Rival {
	type entry struct {
		rival look.Rival
		month *big.Rat
	}
	var all []entry
	for _, o := range offers {
		if string(o.Kind) != kind {
			continue
		}
		add := func(plan catalog.Plan, status look.Chip, open bool) {
			all = append(all, entry{look.Rival{
				URL: f.Market() + "/" + o.Name, Name: o.Name, Provider: o.Provider, Region: o.Region, Plan: planTitle(plan), PlanName: plan.Name,
				Price: look.PriceOf(plan, f.Currency), Limits: look.LimitsOf(plan.Limits), Status: status, Open: open,
			}, look.Monthly(plan, f.Currency)})
		}
		for _, plan := range o.Plans {
			status := offerChip(o)
			text, full := room(o, plan)
			if full {
				status = look.Chip{Tone: "care", Word: "full", Note: text}
			} else if status.Note == "" {
				status.Note = text
			}
			add(plan, status, open(o) && !full)
		}
		for _, l := range o.Lapsed {
			add(l.Plan, look.Chip{Tone: "off", Word: "off sale", Note: lapse(l)}, false)
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		if a.rival.Open != b.rival.Open {
			return map[bool]int{true: -1, false: 1}[a.rival.Open]
		}
		return a.month.Cmp(b.month)
	})
	list := make([]look.Rival, 0, len(all))
	for _, one := range all {
		list = append(list, one.rival)
	}
	return list
}

// rivals compares an offer with others of its kind; nothing when it is the only one.
func rivals(f look.Frame, offers []broker.Offer, one broker.Offer) []look.Rival {
	list, others := compared(f, offers, string(one.Kind)), false
	for n := range list {
		list[n].Current = list[n].Name == one.Name
		others = others || !list[n].Current
	}
	if !others {
		return nil
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
