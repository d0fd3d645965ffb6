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
	i, err := s.live(ctx, encoded, d.PlanID, asyncAllowed)
	if err != nil {
		return spec, err
	}
	if d.ServiceID != i.OfferingID {
		return spec, fault.Invalid.Errorf("The service_id is not that of the instance.")
	}
	slow, err := s.takesTime(ctx, i.PlanID)
	if err == nil && !slow {
		slow, err = s.takesTime(ctx, d.PlanID)
	}
	if err != nil {
		return spec, err
	}
	order := broker.UpdateOrder{Instance: i.ID, Plan: d.PlanID, Params: d.RawParameters, Platform: b.who.ID, AcceptsAsync: asyncAllowed}
	if d.MaintenanceInfo != nil {
		order.Maintenance = d.MaintenanceInfo.Version
	}
	i, fresh, err := s.Broker.Update(ctx, b.who, order)
	if err != nil && fault.KindOf(err) == fault.NotFound {
		if _, gone := s.live(ctx, encoded, d.PlanID, asyncAllowed); gone != nil {
			return spec, gone // meanwhile
		}
		err = fault.Invalid.Errorf("%s", err.Error()) // a plan that is not for sale is a wrong request here
	}
	if err != nil {
		return spec, err
	}
	if fresh || i.State == broker.Updating {
		if spec.IsAsync, err = s.finish(ctx, i.Operation, slow, asyncAllowed); err != nil {
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
