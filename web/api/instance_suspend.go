package api

import (
	"context"

	"github.com/sutlerhq/sutler/identity"
	"github.com/sutlerhq/sutler/web/client"
)

// suspended is the request of instance-suspend.
type suspended struct {
	Place
	Ref  string `path:"ref" doc:"Name or id."`
	Body client.Suspend
}

func (a *API) instanceSuspend(ctx context.Context, who identity.Principal, in *suspended) (*reply[client.Instance], error) {
	i, err := a.instance(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	if i, err = a.Broker.Suspend(ctx, who, i.ID, in.Body.Why); err != nil {
		return nil, err
	}
	return answer(a.namer().instance(ctx, i), nil)
}

func (a *API) instanceResume(ctx context.Context, who identity.Principal, in *instanceRef) (*reply[client.Instance], error) {
	i, err := a.instance(ctx, who, in.Place, in.Ref)
	if err != nil {
		return nil, err
	}
	if i, err = a.Broker.Resume(ctx, who, i.ID); err != nil {
		return nil, err
	}
	return answer(a.namer().instance(ctx, i), nil)
}
