package osb

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Deprovision is DELETE /v2/service_instances/{id}.
func (s *server) Deprovision(ctx context.Context, encoded string, d domain.DeprovisionDetails, asyncAllowed bool) (domain.DeprovisionServiceSpec, error) {
	op, later, err := s.deprovision(ctx, encoded, d.ServiceID, d.PlanID, asyncAllowed)
	return domain.DeprovisionServiceSpec{IsAsync: later, OperationData: op.ID}, s.answer(gone(err))
}

func (s *server) deprovision(ctx context.Context, encoded, service, plan string, asyncAllowed bool) (op broker.Operation, later bool, err error) {
	i, err := s.meant(ctx, encoded, service, plan, asyncAllowed)
	if err != nil {
		return op, false, err
	}
	async, err := s.hurried(ctx, i.PlanID, asyncAllowed)
	if err != nil {
		return op, false, err
	}
	if i, err = s.Broker.Deprovision(ctx, boxOf(ctx).who, i.ID); err != nil {
		return op, false, err
	}
	later, err = s.finish(ctx, i.Operation, async, asyncAllowed)
	return i.Operation, later, err
}

// instance finds the asking platform's instance by its id there, gone ones too as long as they are remembered.
func (s *server) instance(ctx context.Context, encoded string) (broker.Instance, error) {
	platformID, err := id(encoded)
	if err != nil {
		return broker.Instance{}, err
	}
	who := boxOf(ctx).who
	return s.Broker.InstanceOf(ctx, who, who.ID, platformID)
}

// live finds the instance of a request that names a plan. Where there is none, the plan that is named says whether the platform had to wait; where
// there is one, its own plan says so, after all that is wrong with the request.
func (s *server) live(ctx context.Context, encoded, plan string, asyncAllowed bool) (broker.Instance, error) {
	i, err := s.instance(ctx, encoded)
	if err == nil && i.State == broker.Gone {
		err = noInstance(i.PlatformInstance)
	}
	if err != nil && fault.KindOf(err) == fault.NotFound {
		if _, hurried := s.hurried(ctx, plan, asyncAllowed); hurried != nil {
			err = hurried
		}
	}
	return i, err
}

// meant finds the instance, and refuses a request that names a service or a plan which is not its own: it speaks of another one.
func (s *server) meant(ctx context.Context, encoded, service, plan string, asyncAllowed bool) (broker.Instance, error) {
	i, err := s.live(ctx, encoded, plan, asyncAllowed)
	if err != nil || service == i.OfferingID && plan == i.PlanID {
		return i, err
	}
	wrong := fault.Invalid.Errorf("The instance has another service_id or plan_id than the request names.")
	if service != i.OfferingID {
		return i, wrong
	}
	o, _, err := s.Broker.Plan(ctx, plan) // its plan was changed once: a platform may not know that it succeeded, and must still be able to delete
	if fault.KindOf(err) == fault.NotFound && err != nil || err == nil && o.ID != i.OfferingID {
		return i, wrong
	}
	if err != nil {
		return i, err
	}
	had, err := s.Broker.HadPlan(ctx, i.ID, plan)
	if err == nil && !had {
		err = wrong
	}
	return i, err
}

func noInstance(platformID string) error {
	return fault.NotFound.Errorf("There is no instance %q.", platformID)
}

// gone says 410 of what is not there: so a platform knows that its delete has nothing left to do.
func gone(err error) error {
	if err != nil && fault.KindOf(err) == fault.NotFound {
		return fault.Gone.Errorf("It is gone.")
	}
	return err
}
