package pages

import (
	"cmp"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// offering shows one offering with its plans, and what the same kind costs elsewhere.
func (p *Pages) offering(c echo.Context) error {
	v, err := p.visit(c, "Offering", "market")
	if err != nil {
		return err
	}
	offers, err := p.Broker.Stock(c.Request().Context(), v.who)
	if err != nil {
		return err
	}
	o, err := offerNamed(offers, c.Param("offering"))
	if err != nil {
		return err
	}
	may := v.project.ID != "" && v.can(identity.InstanceWrite)
	page := offeringPage(v.frame, may, offers, o)
	away := p.away(c.Request().Context(), v)
	away.beside(page.Rivals)
	page.Reach = away.reach(sameKind(offers, o), filter{kind: string(o.Kind)})
	return p.show(c, http.StatusOK, page)
}

func offeringPage(f look.Frame, may bool, offers []broker.Offer, o broker.Offer) look.Offering {
	page := look.Offering{
		Frame: f, Card: card(f, o), Docs: o.Docs, Open: open(o), Why: whyShut(o),
		Rivals: rivals(f, offers, o), Alias: cmp.Or(alias(o.Kind), "its own name"), Commands: []look.Command{},
	}
	page.Title, page.Card.Status = page.Card.Title, offerChip(o)
	for _, plan := range o.Plans {
		box := look.PlanBox{Name: plan.Name, Title: planTitle(plan), Line: plan.Description, Price: look.PriceOf(plan, f.Currency), Limits: look.LimitsOf(plan.Limits)}
		box.Room, box.Full = room(o, plan)
		if may && page.Open && !box.Full {
			box.URL = page.Card.URL + "/new?plan=" + url.QueryEscape(plan.Name)
		}
		page.Plans = append(page.Plans, box)
	}
	for _, l := range o.Lapsed {
		page.Plans = append(page.Plans, look.PlanBox{
			Name: l.Name, Title: planTitle(l.Plan), Line: l.Description, Price: look.PriceOf(l.Plan, f.Currency), Limits: look.LimitsOf(l.Limits), Room: lapse(l), Full: true, Lapsed: true,
		})
	}
	prefix := cmp.Or(alias(o.Kind), "NAME")
	for _, one := range variables(o.Kind, prefix) {
		one.About = holds[strings.TrimPrefix(one.Name, prefix+"_")]
		page.Variables = append(page.Variables, one)
	}
	page.Variables = append(page.Variables, look.Variable{Name: "VCAP_SERVICES", About: "the same as JSON, as Cloud Foundry has it"})
	if len(o.Plans) > 0 {
		page.Commands = append(page.Commands, command("sutler", "create", o.Name+":"+o.Plans[0].Name, "NAME", "--app", "APP", "--wait"))
	}
	page.Commands = append(page.Commands, "sutler run --app APP -- ./server")
	return page
}
