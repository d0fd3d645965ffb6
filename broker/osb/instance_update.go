package osb

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Update is PATCH /v2/service_instances/{id}: plan, parameters, maintenance, or the context alone, which changes nothing here.
func (s *server) Update(ctx context.Context, encoded string, d domain.UpdateDetails, asyncAllowed bool) (domain.UpdateServiceSpec, error) {
	spec, err := s.update(ctx, encoded, d, asyncAllowed)
	return spec, s.answer(err)
}

func (s *server) update(ctx context.Context, encoded string, d domain.UpdateDetails, asyncAllowed bool) (spec domain.UpdateServiceSpec, err error) {
	b := boxOf(ctx)
	toAsync, err := s.needsAsync(ctx, d.PlanID, asyncAllowed)
	if err != nil {
		return spec, err
	}
	i, err := s.instance(ctx, encoded)
	if err != nil {
		return spec, err
	}
	if d.ServiceID != i.OfferingID {
		return spec, fault.Invalid.Errorf("The service_id is not that of the instance.")
	}
	_, old, err := s.Broker.Plan(ctx, i.PlanID)
	if err != nil {
		return spec, err
	}
	order := broker.UpdateOrder{Instance: i.ID, Plan: d.PlanID, Params: d.RawParameters, Platform: b.who.ID, AcceptsAsync: asyncAllowed}
	if d.MaintenanceInfo != nil {
		order.Maintenance = d.MaintenanceInfo.Version
	}
	if i.State == broker.Gone {
		return spec, noInstance(i.PlatformInstance)
	}
	i, fresh, err := s.Broker.Update(ctx, b.who, order)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		err = fault.Invalid.Errorf("%s", err.Error()) // a plan that is not for sale is a wrong request here
	}
	if err != nil {
		return spec, err
	}
	if fresh || i.State == broker.Updating {
		if spec.IsAsync, err = s.finish(ctx, i.Operation, old.Async || toAsync, asyncAllowed); err != nil {
			return spec, err
		}
		spec.OperationData = i.Operation.ID
	}
	if !spec.IsAsync {
		i, err = s.Broker.Instance(ctx, b.who, "", i.ID) // for the dashboard
		spec.OperationData = ""
	}
	spec.DashboardURL = i.DashboardURL
	return spec, err
}
