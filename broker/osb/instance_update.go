package osb

import (
	"context"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Update is PATCH /v2/service_instances/{id}. The catalog says that no plan can be changed, so a platform that asks is told so and nothing changes.
func (s *server) Update(ctx context.Context, encoded string, _ domain.UpdateDetails, _ bool) (domain.UpdateServiceSpec, error) {
	_, err := s.instance(ctx, encoded)
	if err == nil {
		err = fault.Unprocessable.Errorf("This instance cannot be changed: make another and move over.")
	}
	return domain.UpdateServiceSpec{}, s.answer(err)
}
