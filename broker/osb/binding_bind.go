package osb

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
)

// Bind is PUT /v2/service_instances/{id}/service_bindings/{id}.
func (s *server) Bind(ctx context.Context, encodedInstance, encoded string, d domain.BindDetails, asyncAllowed bool) (domain.Binding, error) {
	bound, err := s.bind(ctx, encodedInstance, encoded, d, asyncAllowed)
	return bound, s.answer(err)
}

func (s *server) bind(ctx context.Context, encodedInstance, encoded string, d domain.BindDetails, asyncAllowed bool) (bound domain.Binding, err error) {
	who := boxOf(ctx).who
	platformID, err := id(encoded)
	if err != nil {
		return bound, err
	}
	i, err := s.meant(ctx, encodedInstance, d.ServiceID, d.PlanID, asyncAllowed)
	if err != nil {
		return bound, err
	}
	old, err := s.predecessor(ctx, i, platformID)
	if err != nil {
		return bound, err
	}
	bd, fresh, err := s.bindApp(ctx, i, d, broker.BindOrder{
		Predecessor: old,
		Instance:    i.ID, Params: d.RawParameters, Platform: who.ID, PlatformBinding: platformID, AcceptsAsync: asyncAllowed,
	})
	if err != nil {
		return bound, err
	}
	async, err := s.takesTime(ctx, i.PlanID) // a former plan may have been named
	if err != nil {
		return bound, err
	}
	exists := !fresh && bd.Operation.Done()
	later, err := s.finish(ctx, bd.Operation, async, asyncAllowed)
	if err != nil || later {
		return domain.Binding{IsAsync: true, OperationData: bd.Operation.ID}, err
	}
	c, err := s.Broker.Credentials(ctx, who, bd.ID)
	if err == nil {
		describe(ctx, c)
	}
	return domain.Binding{AlreadyExists: exists, Credentials: c.Values}, err
}
