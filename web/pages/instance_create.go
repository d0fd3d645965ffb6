package pages

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/problem"
)

// patience is how long creating waits for a fast backend before the page says that it is being made.
const patience = 2 * time.Second

// moment is how long the same order under the same name counts as the same form sent again.
const moment = 10 * time.Minute

// createInstance orders an instance, and binds it when an app was chosen. The same form sent twice finds the first one's instance: the
// name is the order's identity.
func (p *Pages) createInstance(c echo.Context) error {
	v, err := p.visit(c, "Create", "market")
	if err != nil {
		return err
	}
	typed, err := c.FormParams()
	if err != nil {
		return fault.Invalid.Wrap(err, "The form could not be read.")
	}
	ctx := c.Request().Context()
	o, err := p.orderOf(ctx, v, c.Param("offering"), typed)
	if err != nil {
		return err
	}
	made, fresh, err := p.place(ctx, v, &o)
	if err != nil {
		if !told(err) {
			return err
		}
		return p.show(c, problem.Status(fault.KindOf(err)), o.page(v.frame))
	}
	done := "created"
	if !fresh {
		done = "found"
	}
	to := url.Values{"done": {done}}
	if app := typed.Get("app"); fresh && app != "" {
		to.Set("done", p.bindSoon(ctx, v, made, app, typed.Get("alias")))
		if to.Get("done") != "bound" {
			to.Set("app", app)
			to.Set("alias", typed.Get("alias"))
		}
	}
	return c.Redirect(http.StatusSeeOther, v.frame.Base()+"/instances/"+made.Name+"?"+to.Encode())
}

// place gives the order to the broker. What was wrong stands in the order's fields afterwards.
func (p *Pages) place(ctx context.Context, v visit, o *order) (broker.Instance, bool, error) {
	if asked := o.typed.Get("plan"); asked != "" && asked != o.plan.Name { // it was on sale when the form was shown
		o.top = []string{fmt.Sprintf("%s does not sell the plan %s any more. Nothing was created: choose another one.", o.offer.Provider, asked)}
		return broker.Instance{}, false, fault.Unprocessable.Errorf("There is no such plan.")
	}
	params, wrong := o.params.read(o.typed)
	if o.typed.Get("name") == "" {
		wrong["name"] = "Give it a name."
	}
	if len(wrong) > 0 {
		o.wrong, o.top = wrong, []string{"Some fields are not right yet; nothing was created."}
		return broker.Instance{}, false, fault.Invalid.Errorf("The form has mistakes.")
	}
	ask := broker.ProvisionOrder{Org: v.org.ID, Project: v.project.ID, Name: o.typed.Get("name"), Offering: o.offer.Name, Plan: o.plan.Name, Params: params, AcceptsAsync: true}
	for _, a := range o.apps {
		if a.Name == o.typed.Get("app") {
			ask.App = a.ID
		}
	}
	made, fresh, err := p.Broker.Provision(ctx, v.who, ask)
	if fault.KindOf(err) == fault.Conflict {
		if made, ok := p.again(ctx, v, ask); ok {
			return made, false, nil
		}
	}
	if err != nil {
		o.wrong, o.top = wrongFields(err, append(o.params.names, "name", raw)...)
		if fault.KindOf(err) == fault.Conflict { // the name is all that an order can collide with
			o.wrong["name"], o.top = fault.Of(err).Text, []string{"Nothing was created: the name is taken."}
		}
	}
	return made, fresh, err
}

// again finds the instance that this very order made a moment ago: a form is sent twice by a second press, or by reloading its answer.
func (p *Pages) again(ctx context.Context, v visit, ask broker.ProvisionOrder) (broker.Instance, bool) {
	made, err := p.Broker.Instance(ctx, v.who, v.project.ID, ask.Name)
	if err != nil || made.Offering != ask.Offering || made.Plan != ask.Plan || p.Clock.Now().Sub(made.CreatedAt) > moment {
		return made, false
	}
	return made, sameJSON(made.Params, ask.Params)
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}

// bindSoon binds the app when the instance is ready within our patience, and says which notice tells what became of it.
func (p *Pages) bindSoon(ctx context.Context, v visit, made broker.Instance, app, as string) string {
	found, err := p.Directory.App(ctx, v.who, v.project.ID, app)
	if err != nil {
		return "bindfail"
	}
	op, err := p.Broker.Wait(ctx, made.Operation.ID, patience)
	if err != nil || op.State != "succeeded" {
		return "later"
	}
	if _, _, err = p.Broker.Bind(ctx, v.who, broker.BindOrder{Instance: made.ID, App: found.ID, Alias: as, AcceptsAsync: true}); err != nil {
		p.Log.LogAttrs(ctx, slog.LevelInfo, "bind after create", slog.String("instance", made.ID), slog.Any("cause", err))
		return "bindfail"
	}
	return "bound"
}
