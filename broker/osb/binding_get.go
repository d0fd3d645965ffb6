package osb

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// GetBinding is GET /v2/service_instances/{id}/service_bindings/{id}.
func (s *server) GetBinding(ctx context.Context, encodedInstance, encoded string, _ domain.FetchBindingDetails) (domain.GetBindingSpec, error) {
	bd, err := s.binding(ctx, encodedInstance, encoded)
	if err == nil && bd.State != broker.Ready && bd.State != broker.Expiring {
		err = fault.NotFound.Errorf("There is no binding %q.", bd.PlatformBinding)
	}
	if err != nil {
		return domain.GetBindingSpec{}, s.answer(err)
	}
	c, err := s.Broker.Credentials(ctx, boxOf(ctx).who, bd.ID)
	if err == nil {
		describe(ctx, c)
	}
	return domain.GetBindingSpec{Credentials: c.Values, Parameters: object(bd.Params)}, s.answer(err)
}

// LastBindingOperation is GET /v2/service_instances/{id}/service_bindings/{id}/last_operation: of the operation that the
// platform names, or of the latest one.
func (s *server) LastBindingOperation(ctx context.Context, encodedInstance, encoded string, d domain.PollDetails) (domain.LastOperation, error) {
	instance, err := id(encodedInstance)
	if err != nil {
		return domain.LastOperation{}, s.answer(err)
	}
	platformID, err := id(encoded)
	if err != nil {
		return domain.LastOperation{}, s.answer(err)
	}
	op, err := s.Broker.OperationOfBinding(ctx, boxOf(ctx).who, instance, platformID, d.OperationData)
	if err != nil {
		return domain.LastOperation{}, s.answer(err)
	}
	return progress(ctx, op), nil
}
