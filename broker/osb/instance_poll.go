package osb

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
)

// LastOperation is GET /v2/service_instances/{id}/last_operation: the latest one, whichever the platform asks for. After a delete it goes on
// saying succeeded for the retention time.
func (s *server) LastOperation(ctx context.Context, encoded string, _ domain.PollDetails) (domain.LastOperation, error) {
	platformID, err := id(encoded)
	if err != nil {
		return domain.LastOperation{}, s.answer(err)
	}
	op, err := s.Broker.LatestOf(ctx, boxOf(ctx).who, platformID)
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
