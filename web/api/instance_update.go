package api

import (
	"context"

	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

// instanceChange is the body of instance-update.
type instanceChange struct {
	Place
	Ref  string `path:"ref" doc:"Name or id."`
	Body client.InstanceChange
}

func (a *API) instanceUpdate(ctx context.Context, who identity.Principal, in *instanceChange) (*reply[client.Updated], error) {
	i, err := a.instance(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	order := broker.UpdateOrder{Instance: i.ID, Plan: in.Body.Plan, Params: in.Body.Params, AcceptsAsync: true}
	if in.Body.Maintenance {
		order.Maintenance = broker.Newest
	}
	i, fresh, err := a.Broker.Update(ctx, who, order)
	if err != nil {
		return nil, err
	}
	return answer(client.Updated{Instance: a.namer().instance(ctx, i), Fresh: fresh}, nil)
}
