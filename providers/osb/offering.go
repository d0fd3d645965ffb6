package osb

import (
	"cmp"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/ids"
	"github.com/sutlerhq/sutler/internal/strict"
	"github.com/sutlerhq/sutler/providers"
)

// offerings says the upstream's catalog in our words. What cannot be sold is there with the reason why.
func (d *Driver) offerings(u *upstream) []catalog.Offering {
	names := plainNames(u.Services, func(s service) (string, string) { return d.settings.Prefix + s.Name, s.ID })
	var out []catalog.Offering
	for n, s := range u.Services {
		o := catalog.Offering{
			Name: names[n], Kind: d.kind(s), DisplayName: cmp.Or(s.ServiceAbout.DisplayName, s.Name), Docs: s.ServiceAbout.Docs,
			Description: cmp.Or(s.Description, s.Name), Tags: s.Tags, Bindable: s.Bindable, Updatable: s.Updatable,
		}
		if len(s.Requires) > 0 {
			o.Withheld = "its bindings need " + strings.Join(s.Requires, " and ") + " of a platform, which this market does not do"
		}
		plans := plainNames(s.Plans, func(p plan) (string, string) { return p.Name, p.ID })
		for m, p := range s.Plans {
			o.Plans = append(o.Plans, d.plan(plans[m], s, p))
			o.Updatable = o.Updatable || o.Plans[m].Updatable
		}
		out = append(out, o)
	}
	return out
}

func (d *Driver) plan(name string, s service, p plan) catalog.Plan {
	c := catalog.Plan{
		Name: name, Origin: origin(s.ID, p.ID), DisplayName: cmp.Or(p.About.DisplayName, p.Name), Description: cmp.Or(p.Description, p.Name),
		Bindable: or(p.Bindable, s.Bindable), Updatable: or(p.Updatable, s.Updatable), Rotatable: p.Rotatable,
		MaxPolling: time.Duration(min(max(p.MaxPolling, 0), 7*24*3600)) * time.Second,
		Schemas: catalog.Schemas{
			Create: schema(p.Schemas.Instance.Create.Parameters), Update: schema(p.Schemas.Instance.Update.Parameters),
			Bind: schema(p.Schemas.Binding.Create.Parameters),
		},
	}
	if p.Maintenance != nil && p.Maintenance.Version != "" {
		c.Maintenance = &catalog.Maintenance{Version: p.Maintenance.Version, Description: p.Maintenance.Description}
	}
	c.Prices, c.Unpriced = d.prices(p)
	return c
}

func or(own *bool, general bool) bool {
	if own != nil {
		return *own
	}
	return general
}

// schema is the upstream's own. Where it gives none that can be read, any object goes, and the upstream itself judges it.
func schema(raw json.RawMessage) json.RawMessage {
	const any = `{"$schema":"http://json-schema.org/draft-04/schema#","type":"object"}`
	if len(raw) == 0 || string(raw) == "null" || len(raw) > 64<<10 {
		return json.RawMessage(any)
	}
	if _, err := strict.Compile(raw); err != nil {
		return json.RawMessage(any)
	}
	return raw
}

var unplain = regexp.MustCompile(`[^a-z0-9.-]+`)

// plainNames gives each thing a name that the market takes, none twice. Which one it is depends on no order: of several that would get one
// name, one that has it already keeps it, and the others are told apart by their ids.
func plainNames[T any](list []T, of func(T) (name, id string)) []string {
	count, exact := map[string]int{}, map[string]int{}
	out := make([]string, len(list))
	for n, v := range list {
		name, _ := of(v)
		out[n] = cut(strings.TrimLeft(unplain.ReplaceAllString(strings.ToLower(name), "-"), ".-"), 63)
		count[out[n]]++
		if out[n] == name {
			exact[name]++
		}
	}
	for n, v := range list {
		name, id := of(v)
		alone := count[out[n]] == 1 || out[n] == name && exact[name] == 1
		if !alone || out[n] == "" {
			out[n] = cut(cmp.Or(out[n], "x"), 54) + "-" + ids.Stable("osb name", id)[:8]
		}
	}
	return out
}

func cut(s string, most int) string { return s[:min(len(s), most)] }

// kind is what the operator says, or what the upstream's tags and name say.
func (d *Driver) kind(s service) catalog.Kind {
	if k, ok := d.settings.Kinds[s.Name]; ok {
		return k
	}
	for _, tag := range append(slices.Clone(s.Tags), s.Name) {
		tag = strings.ToLower(tag)
		for _, known := range catalog.Kinds() {
			if tag == string(known.Kind) {
				return known.Kind
			}
		}
	}
	for _, word := range []struct {
		part string
		kind catalog.Kind
	}{{"postgres", "postgresql"}, {"mysql", "mysql"}, {"mariadb", "mysql"}, {"redis", "redis"}, {"valkey", "redis"}, {"rabbit", "rabbitmq"}, {"amqp", "rabbitmq"}, {"nats", "nats"}, {"s3", "s3"}} {
		if slices.ContainsFunc(strings.FieldsFunc(strings.ToLower(s.Name), func(r rune) bool { return r == '-' || r == '.' || r == '_' || r == ' ' }), func(f string) bool { return strings.HasPrefix(f, word.part) }) {
			return word.kind
		}
	}
	return "other"
}

// kindOf is the kind of an instance's offering, as far as it is known.
func (d *Driver) kindOf(i providers.Instance) catalog.Kind {
	id, _, err := originOf(i.Plan)
	if err != nil {
		return ""
	}
	c, _, _ := d.shelf.known()
	s, found := c.find(id)
	if !found {
		return ""
	}
	return d.kind(s)
}
