package pages

import (
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/web/pages/look"
)

// app shows what an app is bound to and the names of the variables it gets.
func (p *Pages) app(c echo.Context) error {
	v, page, _, err := p.appPage(c)
	if err != nil {
		return err
	}
	page.Live = v.frame.Base() + "/events"
	return p.show(c, http.StatusOK, page)
}

func (p *Pages) appPage(c echo.Context) (visit, look.App, directory.App, error) {
	v, err := p.visit(c, c.Param("app"), "apps")
	if err != nil {
		return v, look.App{}, directory.App{}, err
	}
	ctx := c.Request().Context()
	a, err := p.Directory.App(ctx, v.who, v.project.ID, c.Param("app"))
	if err != nil {
		return v, look.App{}, a, err
	}
	bindings, err := p.Broker.Bindings(ctx, v.who, "", a.ID, "")
	if err != nil {
		return v, look.App{}, a, err
	}
	list, err := p.Broker.Instances(ctx, v.who, v.scope())
	if err != nil {
		return v, look.App{}, a, err
	}
	page := look.App{Frame: v.frame, Name: a.Name, CanReveal: v.can(identity.CredentialsRead), Commands: []look.Command{
		command("sutler", "run", "--app", a.Name, "--", "./server"),
		command("sutler", "env", "--app", a.Name, "--format", "dotenv"),
	}}
	running, err := p.Broker.Consumers(ctx, v.who, identity.Scope{Org: v.org.ID, Project: v.project.ID, App: a.ID})
	if err != nil {
		return v, look.App{}, a, err
	}
	page.Consumers = look.ConsumerTable{Now: time.Now(), Rows: consumerRows(a.Name, "", running)}
	for _, b := range bindings {
		i := instanceOf(list, b.Instance)
		page.Bindings = append(page.Bindings, look.AppBinding{
			Alias: b.Alias, Instance: b.InstanceName, URL: v.frame.Base() + "/instances/" + b.InstanceName, Kind: string(i.Kind), State: stateChip(b.State), CreatedAt: b.CreatedAt,
		})
		if b.State == broker.Ready {
			page.Variables = append(page.Variables, variables(i.Kind, b.Alias)...)
		}
		page.Pending = page.Pending || pending(b.State)
	}
	if len(page.Variables) > 0 {
		page.Variables = append(page.Variables, look.Variable{Name: "VCAP_SERVICES", Secret: true})
	}
	return v, page, a, nil
}

func instanceOf(list []broker.Instance, id string) broker.Instance {
	for _, i := range list {
		if i.ID == id {
			return i
		}
	}
	return broker.Instance{}
}
