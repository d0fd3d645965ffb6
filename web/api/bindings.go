package api

import (
	"context"
	"net/http"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

// bindingID names one binding.
type bindingID struct {
	ID string `path:"id"`
}

func (a *API) bindings() {
	register(a, route{method: http.MethodGet, path: prefix + "/bindings", id: "binding-list", tag: "bindings", summary: "Live bindings of an instance, an app, or all of a place."}, a.bindingList)
	register(a, route{method: http.MethodPost, path: prefix + "/bindings", id: "binding-create", tag: "bindings", status: http.StatusAccepted, summary: "Give an app access to a ready instance."}, a.bindingCreate)
	register(a, route{method: http.MethodGet, path: prefix + "/bindings/{id}", id: "binding-get", tag: "bindings", summary: "One binding, without credentials."}, a.bindingGet)
	register(a, route{method: http.MethodGet, path: prefix + "/bindings/{id}/credentials", id: "binding-credentials", tag: "bindings", summary: "One binding with its credentials in clear. The reading is audited."}, a.bindingCredentials)
	register(a, route{method: http.MethodPost, path: prefix + "/bindings/{id}/rotate", id: "binding-rotate", tag: "bindings", status: http.StatusAccepted, summary: "Give the app new credentials; the old ones stay valid for a while."}, a.bindingRotate)
	register(a, route{method: http.MethodDelete, path: prefix + "/bindings/{id}", id: "binding-delete", tag: "bindings", status: http.StatusAccepted, summary: "Start the end of an app's access."}, a.bindingDelete)
}

// bindingQuery narrows the list.
type bindingQuery struct {
	Place
	Instance string `query:"instance" doc:"Name or id."`
	App      string `query:"app" doc:"Name or id."`
}

func (a *API) bindingList(ctx context.Context, who identity.Principal, in *bindingQuery) (*reply[[]client.Binding], error) {
	switch {
	case in.Instance != "":
		i, err := a.instance(ctx, who, in.Place, in.Instance)
		if err != nil {
			return nil, err
		}
		list, err := a.Broker.Bindings(ctx, who, i.ID, "", "")
		return answer(each(list, err, wireBinding))
	case in.App != "":
		app, err := a.app(ctx, who, in.Place, in.App)
		if err != nil {
			return nil, err
		}
		list, err := a.Broker.Bindings(ctx, who, "", app.ID, "")
		return answer(each(list, err, wireBinding))
	}
	projects, err := a.projects(ctx, who, in.Place)
	if err != nil {
		return nil, err
	}
	var all []broker.Binding
	for _, p := range projects {
		list, err := a.Broker.Bindings(ctx, who, "", "", p.ID)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
	}
	return answer(each(all, nil, wireBinding))
}

// newBinding is the body of binding-create.
type newBinding struct{ Body client.NewBinding }

func (a *API) bindingCreate(ctx context.Context, who identity.Principal, in *newBinding) (*reply[client.Binding], error) {
	at := Place{Org: in.Body.Org, Project: in.Body.Project}
	app, err := a.app(ctx, who, at, in.Body.App)
	if err != nil {
		return nil, err
	}
	i, err := a.instance(ctx, who, Place{Org: app.Org, Project: app.Project}, in.Body.Instance)
	if err != nil {
		return nil, err
	}
	b, _, err := a.Broker.Bind(ctx, who, broker.BindOrder{Instance: i.ID, App: app.ID, Alias: in.Body.Alias, Params: in.Body.Params, AcceptsAsync: true})
	if err != nil {
		return nil, err
	}
	return answer(wireBinding(b), nil)
}

func (a *API) bindingGet(ctx context.Context, who identity.Principal, in *bindingID) (*reply[client.Binding], error) {
	b, err := a.Broker.Binding(ctx, who, in.ID)
	return answer(wireBinding(b), err)
}

func (a *API) bindingCredentials(ctx context.Context, who identity.Principal, in *bindingID) (*reply[client.Binding], error) {
	c, err := a.Broker.Credentials(ctx, who, in.ID)
	if err != nil {
		return nil, err
	}
	b := wireBinding(c.Binding)
	b.Credentials = c.Values
	return answer(b, nil)
}

func (a *API) bindingDelete(ctx context.Context, who identity.Principal, in *bindingID) (*reply[client.Binding], error) {
	b, err := a.Broker.Unbind(ctx, who, in.ID)
	return answer(wireBinding(b), err)
}

func (a *API) bindingRotate(ctx context.Context, who identity.Principal, in *bindingID) (*reply[client.Binding], error) {
	b, _, err := a.Broker.Rotate(ctx, who, in.ID)
	return answer(wireBinding(b), err)
}

func wireBinding(b broker.Binding) client.Binding {
	return client.Binding{
		ID: b.ID, Instance: b.Instance, Name: b.InstanceName, App: b.AppName, Alias: b.Alias, State: string(b.State), Note: b.Note,
		Predecessor: b.Predecessor, Successor: b.Successor, Operation: b.Operation.ID, CreatedAt: b.CreatedAt, ExpiresAt: moment(b.ExpiresAt),
	}
}

// moment is nil for the zero time.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
