package osb

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pivotal-cf/brokerapi/v10/domain"
	"github.com/sutlerhq/sutler/broker"
	"github.com/sutlerhq/sutler/catalog"
)

// Services tells brokerapi, at every provision, that what was asked for is known: whether it is, broker says. The door answers
// GET /v2/catalog itself, from memory (catalog_get.go).
func (s *server) Services(ctx context.Context) ([]domain.Service, error) {
	var service, plan string
	err := json.Unmarshal(boxOf(ctx).body["service_id"], &service)
	if err == nil {
		err = json.Unmarshal(boxOf(ctx).body["plan_id"], &plan)
	}
	return []domain.Service{{ID: service, Plans: []domain.ServicePlan{{ID: plan}}}}, s.answer(err)
}

// offered is a service as the library writes it, with what it has no field for.
type offered struct {
	domain.Service
	Plans []offeredPlan `json:"plans"`
}

type offeredPlan struct {
	domain.ServicePlan
	Rotatable bool `json:"binding_rotatable,omitempty"` // old platforms refuse plans with fields they do not know
}

// service leaves out what is not known: some platforms stumble over null.
func service(o broker.Offer) offered {
	tags := o.Tags
	if len(tags) == 0 {
		tags = []string{string(o.Kind)} // and over a service without tags
	}
	out := offered{Service: domain.Service{
		ID: o.ID, Name: o.Name, Description: cmp.Or(o.Description, o.DisplayName, o.Name), Bindable: o.Bindable, Tags: tags,
		InstancesRetrievable: true, BindingsRetrievable: true, PlanUpdatable: o.Updatable, AllowContextUpdates: true,
		Metadata: &domain.ServiceMetadata{DisplayName: o.DisplayName, DocumentationUrl: o.Docs, ProviderDisplayName: o.Provider},
	}}
	for _, p := range o.Plans {
		out.Plans = append(out.Plans, offeredPlan{plan(p), p.Rotatable})
	}
	return out
}

func plan(p catalog.Plan) domain.ServicePlan {
	out := domain.ServicePlan{
		ID: p.ID, Name: p.Name, Description: cmp.Or(p.Description, p.DisplayName, p.Name),
		Free: domain.FreeValue(p.Free()), Bindable: domain.BindableValue(p.Bindable), PlanUpdatable: &p.Updatable,
		Metadata: &domain.ServicePlanMetadata{DisplayName: p.DisplayName, Costs: costs(p)},
		Schemas: &domain.ServiceSchemas{ // all three, or the library writes null into the others
			Instance: domain.ServiceInstanceSchema{Create: schema(p.Schemas.Create), Update: schema(p.Schemas.Update)},
			Binding:  domain.ServiceBindingSchema{Create: schema(p.Schemas.Bind)},
		},
	}
	if p.MaxPolling > 0 {
		seconds := int(p.MaxPolling / time.Second)
		out.MaximumPollingDuration = &seconds
	}
	if p.Maintenance != nil {
		out.MaintenanceInfo = &domain.MaintenanceInfo{Version: p.Maintenance.Version, Description: p.Maintenance.Description}
	}
	return out
}

// schema gives what a request's parameters must be; a plan without one takes none.
func schema(raw json.RawMessage) domain.Schema {
	m := map[string]any{}
	if len(raw) == 0 || json.Unmarshal(raw, &m) != nil {
		m = map[string]any{"type": "object", "additionalProperties": false}
	}
	if _, ok := m["$schema"]; !ok {
		m["$schema"] = "http://json-schema.org/draft-07/schema#"
	}
	return domain.Schema{Parameters: m}
}

// costs gives prices in the form that platforms show. It is the one place where a price becomes a floating number, because the protocol has no
// other; nothing is reckoned with it.
func costs(p catalog.Plan) []domain.ServicePlanCost {
	byRate := map[string]*domain.ServicePlanCost{}
	var order []string
	for _, currency := range slices.Sorted(maps.Keys(p.Prices)) {
		for _, r := range p.Prices[currency] {
			price, unit := r.Amount.String(), "MONTHLY"
			switch r.Model {
			case "fixed":
			case "one_time":
				unit = "ONCE"
			case "per_unit":
				price, unit = r.Unit.String(), "PER "+strings.ToUpper(unitOf(p, r.Metric))
			default:
				continue // its shape does not fit into one number
			}
			amount, err := strconv.ParseFloat(price, 64)
			if err != nil {
				continue
			}
			if byRate[r.Name] == nil {
				byRate[r.Name] = &domain.ServicePlanCost{Amount: map[string]float64{}, Unit: unit}
				order = append(order, r.Name)
			}
			byRate[r.Name].Amount[strings.ToLower(currency)] = amount
		}
	}
	var out []domain.ServicePlanCost
	for _, name := range order {
		out = append(out, *byRate[name])
	}
	return out
}

func unitOf(p catalog.Plan, metric string) string {
	for _, m := range p.Metrics {
		if m.Name == metric {
			return cmp.Or(m.Unit, metric)
		}
	}
	return metric
}
