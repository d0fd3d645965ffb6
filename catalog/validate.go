package catalog

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/strict"
)

// Bounds that Cloud Controller puts on a catalog, so that none of ours is refused by it.
const (
	longestDescription = 10_000
	longestSchema      = 64 << 10
)

var (
	nameRule     = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{0,62}$`)
	versionRule  = regexp.MustCompile(`^\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?$`)
	currencyRule = regexp.MustCompile(`^[A-Z]{3}$`)
)

// problems lists everything that is wrong with the offering; at is where it stands in the configuration.
func (o Offering) problems(at string) []fault.Field {
	var out []fault.Field
	wrong := func(path, format string, v ...any) {
		out = append(out, fault.Field{Path: at + path, Reason: fmt.Sprintf(format, v...)})
	}
	if !nameRule.MatchString(o.Name) {
		wrong("/name", "%q is no offering name: use a-z, 0-9, dots and dashes, at most 63", o.Name)
	}
	if _, known := o.Kind.Info(); !known {
		wrong("/kind", "the kind %q is not known; known are %v", o.Kind, names(Kinds(), func(k KindInfo) string { return string(k.Kind) }))
	}
	if o.Description == "" || len(o.Description) > longestDescription {
		wrong("/description", "a description of 1 to %d bytes is needed", longestDescription)
	}
	if len(o.Plans) == 0 {
		wrong("/plans", "there is no plan, so nothing could be bought")
	}
	seen := map[string]bool{}
	for i, p := range o.Plans {
		if seen[p.Name] {
			wrong(fmt.Sprintf("/plans/%d/name", i), "the plan name %q is there twice", p.Name)
		}
		seen[p.Name] = true
		out = append(out, p.problems(fmt.Sprintf("%s/plans/%d", at, i))...)
		for n, target := range p.Targets {
			if !slices.Contains(names(o.Plans, planName), target) {
				wrong(fmt.Sprintf("/plans/%d/targets/%d", i, n), "there is no plan %q to change to; there are %v", target, names(o.Plans, planName))
			}
		}
	}
	return out
}

func (p Plan) problems(at string) []fault.Field {
	var out []fault.Field
	wrong := func(path, format string, v ...any) {
		out = append(out, fault.Field{Path: at + path, Reason: fmt.Sprintf(format, v...)})
	}
	if !nameRule.MatchString(p.Name) {
		wrong("/name", "%q is no plan name: use a-z, 0-9, dots and dashes, at most 63", p.Name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Limits)) {
		if p.Limits[name] < 0 {
			wrong("/limits/"+name, "%d is below zero", p.Limits[name])
		}
	}
	if p.Capacity < 0 {
		wrong("/capacity", "%d is below zero", p.Capacity)
	}
	if m := p.Maintenance; m != nil && !versionRule.MatchString(m.Version) {
		wrong("/maintenance/version", "%q is no semantic version such as 1.2.0", m.Version)
	}
	for _, s := range []struct {
		name string
		raw  json.RawMessage
	}{{"create", p.Schemas.Create}, {"update", p.Schemas.Update}, {"bind", p.Schemas.Bind}} {
		if len(s.raw) > longestSchema {
			wrong("/schemas/"+s.name, "the schema is over %d bytes", longestSchema)
		} else if len(s.raw) == 0 {
			continue
		} else if _, err := strict.Compile(s.raw); err != nil {
			wrong("/schemas/"+s.name, "%s", fault.Of(err).Text)
		}
	}
	for _, currency := range slices.Sorted(maps.Keys(p.Prices)) {
		if !currencyRule.MatchString(currency) {
			wrong("/prices/"+currency, "%q is no ISO 4217 currency code", currency)
		}
		for _, f := range ValidateRates(p.Metrics, p.Prices[currency]) {
			out = append(out, fault.Field{Path: at + "/prices/" + currency + "/" + f.Path, Reason: f.Reason})
		}
	}
	return out
}
