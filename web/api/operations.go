package api

import (
	"context"
	"net/http"
	"time"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/web/client"
)

func (a *API) operations() {
	register(a, route{method: http.MethodGet, path: prefix + "/operations", id: "operation-list", tag: "operations", summary: "The market's operations, newest first (operators)."}, a.operationList)
	register(a, route{method: http.MethodGet, path: prefix + "/operations/{id}", id: "operation-get", tag: "operations", summary: "One operation; with wait, once it has ended or the seconds have passed."}, a.operationGet)
	register(a, route{method: http.MethodPost, path: prefix + "/operations/{id}/retry", id: "operation-retry", tag: "operations", summary: "Try an operation that has work left now (operators)."}, a.operationRetry)
	register(a, route{method: http.MethodPost, path: prefix + "/operations/{id}/purge", id: "operation-purge", tag: "operations", summary: "Give up a stuck delete: what it was to end counts as gone, although the provider may still hold it (operators)."}, a.operationPurge)
}

// operationQuery narrows the list.
type operationQuery struct {
	Stuck bool `query:"stuck" doc:"Only those that need a person."`
}

func (a *API) operationList(ctx context.Context, who identity.Principal, in *operationQuery) (*reply[[]client.Operation], error) {
	list, err := a.Broker.Operations(ctx, who, in.Stuck)
	names := a.namer()
	return answer(each(list, err, func(o broker.Operation) client.Operation { return names.operation(ctx, o) }))
}

// operationWait names one operation and says how long to wait for its end.
type operationWait struct {
	ID   string `path:"id"`
	Wait int    `query:"wait" minimum:"0" maximum:"30" doc:"Seconds."`
}

func (a *API) operationGet(ctx context.Context, who identity.Principal, in *operationWait) (*reply[client.Operation], error) {
	op, err := a.Broker.Operation(ctx, who, in.ID) // asks whether who may see it
	if err == nil && in.Wait > 0 && !op.Done() {
		op, err = a.Broker.Wait(ctx, in.ID, time.Duration(in.Wait)*time.Second)
	}
	return answer(a.namer().operation(ctx, op), err)
}

func (a *API) operationRetry(ctx context.Context, who identity.Principal, in *struct {
	ID string `path:"id"`
},
) (*reply[client.Operation], error) {
	op, err := a.Broker.RetryOperation(ctx, who, in.ID)
	return answer(a.namer().operation(ctx, op), err)
}

func (a *API) operationPurge(ctx context.Context, who identity.Principal, in *struct {
	ID   string `path:"id"`
	Body client.Purge
},
) (*reply[client.Operation], error) {
	if in.Body.Confirm != in.ID {
		return nil, fault.Invalid.Errorf("Nothing was given up: confirm must be the operation's id.").WithFields(fault.Field{Path: "/confirm", Reason: "must be " + in.ID})
	}
	op, err := a.Broker.PurgeOperation(ctx, who, in.ID, in.Body.Reason)
	return answer(a.namer().operation(ctx, op), err)
}

func (n *namer) operation(ctx context.Context, o broker.Operation) client.Operation {
	out := client.Operation{
		ID: o.ID, Verb: o.Verb, State: o.State, Note: o.Note, Instance: o.Instance, InstanceName: o.InstanceName, Binding: o.Binding, StartedAt: o.StartedAt,
		EndedAt: moment(o.EndedAt), Attempts: o.Attempts, Failures: o.Failures, FailingSince: moment(o.FailingSince), NextAt: moment(o.NextAt), Reason: o.Stuck,
	}
	if o.Org != "" {
		t := n.of(ctx, o.Org, o.Project)
		out.Org, out.Project = t.OrgName, t.ProjectName
	}
	return out
}
