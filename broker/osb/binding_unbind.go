package osb

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
)

// Unbind is DELETE /v2/service_instances/{id}/service_bindings/{id}.
func (s *server) Unbind(ctx context.Context, encodedInstance, encoded string, d domain.UnbindDetails, asyncAllowed bool) (domain.UnbindSpec, error) {
	op, later, err := s.unbind(ctx, encodedInstance, encoded, d, asyncAllowed)
	return domain.UnbindSpec{IsAsync: later, OperationData: op.ID}, s.answer(gone(err))
}

func (s *server) unbind(ctx context.Context, encodedInstance, encoded string, d domain.UnbindDetails, asyncAllowed bool) (op broker.Operation, later bool, err error) {
	i, err := s.meant(ctx, encodedInstance, d.ServiceID, d.PlanID, asyncAllowed)
	if err != nil {
		return op, false, err
	}
	async, err := s.hurried(ctx, i.PlanID, asyncAllowed) // a former plan may have been named
	if err != nil {
		return op, false, err
	}
	bd, err := s.binding(ctx, encodedInstance, encoded)
	if err != nil {
		return op, false, err
	}
	if bd, err = s.Broker.Unbind(ctx, boxOf(ctx).who, bd.ID); err != nil {
		return op, false, err
	}
	later, err = s.finish(ctx, bd.Operation, async, asyncAllowed)
	return bd.Operation, later, err
}

// binding finds the asking platform's binding by its ids there.
func (s *server) binding(ctx context.Context, encodedInstance, encoded string) (broker.Binding, error) {
	platformID, err := id(encoded)
	if err != nil {
		return broker.Binding{}, err
	}
	i, err := s.instance(ctx, encodedInstance)
	if err != nil {
		return broker.Binding{}, err
	}
	return s.Broker.BindingOf(ctx, boxOf(ctx).who, i.ID, platformID)
}
