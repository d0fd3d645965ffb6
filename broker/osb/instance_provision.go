package osb

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
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
	order := broker.ProvisionOrder{
		Name: wished(d.RawContext), Offering: d.ServiceID, Plan: d.PlanID, Params: d.RawParameters,
		Platform: b.who.ID, PlatformInstance: platformID, Place: broker.Place{Org: d.OrganizationGUID, Space: d.SpaceGUID}, AcceptsAsync: asyncAllowed,
	}
	if d.MaintenanceInfo != nil {
		order.Maintenance = d.MaintenanceInfo.Version
	}
	i, fresh, err := s.order(ctx, d, order)
	if fault.KindOf(err) == fault.NotFound && err != nil {
		err = fault.Invalid.Errorf("%s", err.Error()) // a plan that is not for sale is a wrong request here
	}
	if err != nil {
		return spec, err
	}
	async, err := s.takesTime(ctx, i.PlanID)
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
