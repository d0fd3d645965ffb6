package osb

import (
	"context"
	"encoding/json"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/internal/fault"
)

// GetInstance is GET /v2/service_instances/{id}.
func (s *server) GetInstance(ctx context.Context, encoded string, _ domain.FetchInstanceDetails) (domain.GetInstanceDetailsSpec, error) {
	i, err := s.instance(ctx, encoded)
	if err == nil {
		switch i.State {
		case broker.Ready, broker.Suspended:
		case broker.Updating:
			err = fault.Busy.Errorf("The instance is being updated.")
		default:
			err = noInstance(i.PlatformInstance)
		}
	}
	if err != nil {
		return domain.GetInstanceDetailsSpec{}, s.answer(err)
	}
	if i.Maintenance != "" {
		boxOf(ctx).add("maintenance_info", domain.MaintenanceInfo{Version: i.Maintenance})
	}
	return domain.GetInstanceDetailsSpec{ServiceID: i.OfferingID, PlanID: i.PlanID, DashboardURL: i.DashboardURL, Parameters: object(i.Params)}, nil
}

// object gives parameters as an object: living platforms refuse null.
func object(raw json.RawMessage) map[string]json.RawMessage {
	m := map[string]json.RawMessage{}
	_ = json.Unmarshal(raw, &m) // ours, and an object since it was accepted
	return m
}
