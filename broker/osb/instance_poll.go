package osb

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
)

// LastOperation is GET /v2/service_instances/{id}/last_operation: the operation that the platform names, or the latest one. A create
// or an update that a delete took the place of has failed. After a delete it goes on saying succeeded for the retention time.
func (s *server) LastOperation(ctx context.Context, encoded string, d domain.PollDetails) (domain.LastOperation, error) {
	platformID, err := id(encoded)
	if err != nil {
		return domain.LastOperation{}, s.answer(err)
	}
	op, err := s.Broker.OperationOf(ctx, boxOf(ctx).who, platformID, d.OperationData)
	if err != nil {
		return domain.LastOperation{}, s.answer(err)
	}
	return progress(ctx, op), nil
}

func progress(ctx context.Context, op broker.Operation) domain.LastOperation {
	switch op.State {
	case "in progress":
		retryAfter(ctx, op)
	case "failed":
		usable(ctx, op)
	}
	return domain.LastOperation{State: domain.LastOperationState(op.State), Description: op.Note}
}
