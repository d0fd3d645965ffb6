package catalog

import (
	"slices"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/suggest"
)

// Catalog is everything on sale at one moment. It is immutable and safe for concurrent use.
type Catalog struct{ offerings []Offering }

// Offerings lists all, in the configuration's order. The slice is the caller's; what it points to is not.
func (c *Catalog) Offerings() []Offering { return slices.Clone(c.offerings) }

// Offering finds one by name or id; the fault is NotFound and says which name may have been meant.
func (c *Catalog) Offering(ref string) (Offering, error) {
	for _, o := range c.offerings {
		if o.Name == ref || o.ID == ref {
			return o, nil
		}
	}
	return Offering{}, fault.NotFound.Errorf("There is no offering %q.%s", ref, suggest.DidYouMean(ref, names(c.offerings, offeringName))).
		WithHint("sutler marketplace lists what is on sale.")
}

// Plan finds an offering's plan by name or id; an empty ref is the first plan.
func (o Offering) Plan(ref string) (Plan, error) {
	for _, p := range o.Plans {
		if ref == "" || p.Name == ref || p.ID == ref {
			return p, nil
		}
	}
	return Plan{}, fault.NotFound.Errorf("%s has no plan %q.%s", o.Name, ref, suggest.DidYouMean(ref, names(o.Plans, planName))).
		WithHint("sutler marketplace --offering %s lists its plans.", o.Name)
}

// Shows tells whether a caller of this org or platform sees what the visibility guards. Either may be empty.
func (v Visibility) Shows(org, platform string) bool {
	if len(v.Orgs) == 0 && len(v.Platforms) == 0 {
		return true
	}
	return org != "" && slices.Contains(v.Orgs, org) || platform != "" && slices.Contains(v.Platforms, platform)
}

// VisibleTo gives the offering with the plans that a caller of this org or platform sees, and whether there are any.
func (o Offering) VisibleTo(org, platform string) (Offering, bool) {
	if !o.Visibility.Shows(org, platform) {
		return Offering{}, false
	}
	o.Plans = slices.DeleteFunc(slices.Clone(o.Plans), func(p Plan) bool { return !p.Visibility.Shows(org, platform) })
	return o, len(o.Plans) > 0
}

func offeringName(o Offering) string { return o.Name }
func planName(p Plan) string         { return p.Name }

func names[T any](list []T, name func(T) string) []string {
	var out []string
	for _, v := range list {
		out = append(out, name(v))
	}
	return out
}
