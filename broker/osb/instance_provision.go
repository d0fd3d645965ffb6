package osb

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/fault"
)

// Provision is PUT /v2/service_instances/{id}.
func (s *server) Provision(ctx context.Context, encoded string, d domain.ProvisionDetails, asyncAllowed bool) (domain.ProvisionedServiceSpec, error) {
	spec, err := s.provision(ctx, encoded, d, asyncAllowed)
	return spec, s.answer(err)
}

func (s *server) provision(ctx context.Context, encoded string, d domain.ProvisionDetails, asyncAllowed bool) (spec domain.ProvisionedServiceSpec, err error) {
	b := boxOf(ctx)
	platformID, err := id(encoded)
	if err != nil {
		return spec, err
	}
	async, err := s.needsAsync(ctx, d.PlanID, asyncAllowed)
	if err != nil {
		return spec, err
	}
	if err := s.maintained(ctx, d); err != nil {
		return spec, err
	}
	i, fresh, err := s.order(ctx, d, broker.ProvisionOrder{
		Name: wished(d.RawContext), Offering: d.ServiceID, Plan: d.PlanID, Params: d.RawParameters,
		Platform: b.who.ID, PlatformInstance: platformID, AcceptsAsync: asyncAllowed,
	})
	if fault.KindOf(err) == fault.NotFound && err != nil {
		err = fault.Invalid.Errorf("%s", err.Error()) // a plan that is not for sale is a wrong request here
	}
	if err != nil {
		return spec, err
	}
	exists, later := !fresh && i.State != broker.Creating, false // whatever became of an update: it is there
	if !exists {
		if later, err = s.finish(ctx, i.Operation, async, asyncAllowed); err != nil {
			return spec, err
		}
	}
	if !later && !exists {
		if i, err = s.Broker.Instance(ctx, b.who, "", i.ID); err != nil { // for the dashboard
			return spec, err
		}
	}
	return domain.ProvisionedServiceSpec{IsAsync: later, AlreadyExists: exists, DashboardURL: i.DashboardURL, OperationData: i.Operation.ID}, nil
}

// maintained refuses a maintenance version that the plan does not have.
func (s *server) maintained(ctx context.Context, d domain.ProvisionDetails) error {
	if d.MaintenanceInfo == nil {
		return nil
	}
	plan, err := s.Broker.PlanNow(ctx, d.PlanID)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return err
	}
	has := catalog.Maintenance{}
	if plan.Maintenance != nil {
		has = *plan.Maintenance
	}
	if d.MaintenanceInfo.Version != has.Version {
		return fault.Unprocessable.Errorf("maintenance_info names a version that the plan does not have; read the catalog again.").WithCode("MaintenanceInfoConflict")
	}
	return nil
}

var notInNames = regexp.MustCompile(`[^a-z0-9-]+`)

// wished is the name that the platform's user gave, as far as it can be ours.
func wished(rawContext json.RawMessage) string {
	var c struct {
		InstanceName string `json:"instance_name"`
	}
	_ = json.Unmarshal(rawContext, &c) // checked to be an object; a name of another type is none
	name := notInNames.ReplaceAllString(strings.ToLower(c.InstanceName), "-")
	return name[:min(len(name), 63)]
}
