package pages

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// instance shows one instance with all that belongs to it.
func (p *Pages) instance(c echo.Context) error {
	v, i, err := p.visitInstance(c)
	if err != nil {
		return err
	}
	page, err := p.instancePage(c.Request().Context(), v, i, c.QueryParams())
	if err != nil {
		return err
	}
	page.Live = v.frame.Base() + "/events"
	return p.show(c, http.StatusOK, page)
}

// visitInstance finds the instance that the address names.
func (p *Pages) visitInstance(c echo.Context) (visit, broker.Instance, error) {
	v, err := p.visit(c, c.Param("instance"), "instances")
	if err != nil {
		return v, broker.Instance{}, err
	}
	i, err := p.Broker.Instance(c.Request().Context(), v.who, v.project.ID, c.Param("instance"))
	return v, i, err
}

// instancePage gathers what the page shows; typed is what stands in its bind form.
func (p *Pages) instancePage(ctx context.Context, v visit, i broker.Instance, typed url.Values) (look.Instance, error) {
	costs := p.costs(ctx, v)
	row := instanceRow(v.frame, i)
	row.Cost = costs.sum(i.ID)
	info, _ := i.Kind.Info()
	page := look.Instance{
		Frame: v.frame, Row: row, Sold: info.Title, Note: row.State.Note, Costs: costs.known, Write: v.can(identity.InstanceWrite) && i.State != broker.Deleting && i.State != broker.Gone,
		CanBind: i.State == broker.Ready, WhyNot: whyNoBinding(i),
		Confirm:  look.Field{Name: "confirm", Label: "Type " + i.Name + " to confirm", Required: true},
		Commands: instanceCommands(v, i),
	}
	page.Pending = pending(i.State)
	offers, err := p.Broker.Market(ctx, v.who)
	if err != nil {
		return page, err
	}
	page.Limits, page.Row.OfferingURL = limitsOf(offers, i), ""
	if o, err := offerNamed(offers, i.Offering); err == nil {
		one := card(v.frame, o)
		page.Sold, page.Row.OfferingURL = one.Title, one.URL
	}
	ways, err := p.Broker.Ways(ctx, v.who, i.ID)
	if err != nil {
		return page, err
	}
	page.Health, page.Turn, page.Change = healthOf(i), turnOf(v, i, ways, typed.Get("why")), changeOf(v, i, ways, typed.Get("plan"))
	page.BackUp = ways.BackUp
	if page.Write && ways.Move {
		page.Commands = append(page.Commands, command("sutler", "move", i.Name, "--to", "PROVIDER:PLAN", "--org", v.org.Name, "--project", v.project.Name))
	}
	if page.Health != nil {
		page.Note = i.Note // the rest stands in its own place
	}
	bindings, err := p.Broker.Bindings(ctx, v.who, i.ID, "", "")
	if err != nil {
		return page, err
	}
	away, err := p.distances(ctx, v, i.ID)
	if err != nil {
		return page, err
	}
	bound := map[string]bool{}
	for _, b := range bindings {
		bound[b.App] = true
		row := bindingRow(v, i, b)
		row.Distance, row.Slower = far(away[b.ID])
		row.CanRotate = ways.Rotate && row.Ready && i.State == broker.Ready
		page.Bindings = append(page.Bindings, row)
		page.Pending = page.Pending || pending(b.State)
	}
	page.Steps = steps(i, bindings)
	if err := p.moving(ctx, v, i, &page); err != nil {
		return page, err
	}
	if page.App, page.Alias, err = p.bindFields(ctx, v, i, bound, typed); err != nil {
		return page, err
	}
	page.Usage = p.measured(ctx, v, i.ID)
	if page.Consumers, err = p.consumersOf(ctx, v, bindings); err != nil {
		return page, err
	}
	return page, p.instanceBackups(ctx, v, i, &page)
}

// bindFields offers the project's apps that have no access yet.
func (p *Pages) bindFields(ctx context.Context, v visit, i broker.Instance, bound map[string]bool, typed url.Values) (app, as look.Field, err error) {
	apps, err := p.Directory.Apps(ctx, v.who, v.project.ID)
	if fault.KindOf(err) == fault.Forbidden || fault.KindOf(err) == fault.NotFound {
		err = nil // who may see instances and no apps sees no list of them
	}
	apps = slices.DeleteFunc(apps, func(a directory.App) bool { return bound[a.ID] })
	app, as = appFields(apps, i.Kind, typed, nil)
	app.Required = true
	return app, as, err
}
