package pages

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// order is the provision form: what it is about and what was typed into it.
type order struct {
	offer  broker.Offer
	plan   catalog.Plan
	params paramsForm
	apps   []directory.App
	typed  url.Values
	wrong  map[string]string // by field
	top    []string          // what belongs to no field
}

// orderOf finds what the form is about. An unknown plan is the first one: the form says which is chosen.
func (p *Pages) orderOf(ctx context.Context, v visit, offering string, typed url.Values) (order, error) {
	offers, err := p.Broker.Market(ctx, v.who)
	if err != nil {
		return order{}, err
	}
	o := order{typed: typed, wrong: map[string]string{}}
	if o.offer, err = offerNamed(offers, offering); err != nil {
		return o, err
	}
	for i, plan := range o.offer.Plans {
		if i == 0 || plan.Name == typed.Get("plan") {
			o.plan = plan
		}
	}
	o.params = paramsFormOf(o.plan.Schemas.Create)
	o.apps, err = p.Directory.Apps(ctx, v.who, v.project.ID)
	return o, err
}

// page is the form with what was typed.
func (o order) page(f look.Frame) look.Provision {
	c := card(f, o.offer)
	f.Title = "Create " + c.Title
	page := look.Provision{
		Frame: f, Card: c, Open: o.offer.Status == providers.Up && len(o.offer.Plans) > 0, Why: whyShut(o.offer), Problems: o.top,
		Name: look.Field{
			Name: "name", Label: "Name of the instance", Value: o.typed.Get("name"), Required: true, Error: o.wrong["name"],
			Pattern: "[a-z]([a-z0-9\\-]{0,61}[a-z0-9])?", Help: "Small letters, digits and dashes; unique in this project.",
		},
		Params: o.params.fields(o.typed, o.wrong),
		Quote:  look.QuoteOf(o.plan, f.Currency),
	}
	for _, plan := range o.offer.Plans {
		page.Plans = append(page.Plans, look.PlanChoice{Name: plan.Name, Title: planTitle(plan), Price: look.PriceOf(plan, f.Currency), Limits: look.LimitsOf(plan.Limits), On: plan.Name == o.plan.Name})
	}
	page.App, page.Alias = appFields(o.apps, o.offer.Kind, o.typed, o.wrong)
	if len(o.apps) > 0 {
		page.App.Options = append([]look.Choice{{Label: "none for now"}}, page.App.Options...)
	}
	for _, one := range variables(o.offer.Kind, strings.ToUpper(cmp.Or(o.typed.Get("alias"), alias(o.offer.Kind), "NAME"))) {
		page.Preview = append(page.Preview, one.Name)
	}
	page.Command = o.command()
	return page
}

// appFields are the fields that choose an app and the alias it gets.
func appFields(apps []directory.App, kind catalog.Kind, typed url.Values, wrong map[string]string) (app, as look.Field) {
	app = look.Field{Name: "app", Label: "App", Kind: "select", Error: wrong["app"]}
	for _, a := range apps {
		app.Options = append(app.Options, look.Choice{Value: a.Name, Label: a.Name, On: typed.Get("app") == a.Name})
	}
	as = look.Field{Name: "alias", Label: "Alias", Value: typed.Get("alias"), Placeholder: alias(kind), Error: wrong["alias"], Pattern: "[A-Za-z][A-Za-z0-9_\\-]{0,62}"}
	return app, as
}

// command is the line that does what the form does.
func (o order) command() look.Command {
	words := []string{"sutler", "create", o.offer.Name + ":" + o.plan.Name, cmp.Or(o.typed.Get("name"), "NAME")}
	for _, name := range o.params.names {
		if v := o.typed.Get(paramPrefix + name); v != "" {
			words = append(words, "-p", name+"="+strings.Trim(v, `"`))
		}
	}
	if v := o.typed.Get(raw); v != "" {
		words = append(words, "--params", v)
	}
	for _, flag := range [][2]string{{"--app", o.typed.Get("app")}, {"--as", o.typed.Get("alias")}} {
		if flag[1] != "" {
			words = append(words, flag[0], flag[1])
		}
	}
	return command(words...)
}

// freeName suggests a name that is not taken: the offering's, else with a number.
func freeName(wish string, taken []broker.Instance) string {
	for name, n := wish, 2; ; name, n = fmt.Sprintf("%s-%d", wish, n), n+1 {
		if !slices.ContainsFunc(taken, func(i broker.Instance) bool { return i.Name == name }) {
			return name
		}
	}
}
