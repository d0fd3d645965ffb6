package fake

import (
	"context"
	"encoding/json"
	"time"

	"github.com/sutlerhq/sutler/catalog"
)

// Metric is what every plan is metered by: a counter that Use moves.
const Metric = "requests"

// parameters is the schema of every plan that takes parameters.
var parameters = json.RawMessage(`{"$schema":"http://json-schema.org/draft-04/schema#","type":"object",` +
	`"properties":{"size":{"type":"integer","minimum":1,"maximum":10},"label":{"type":"string","maxLength":40}},"additionalProperties":false}`)

// delay is how long the plans take that do not answer at once.
func delay(plan, verb string) time.Duration {
	switch {
	case plan == "async" && (verb == "provision" || verb == "update" || verb == "deprovision"):
		return time.Second
	case plan == "slow" && verb == "provision":
		return 10 * time.Second
	}
	return 0
}

func plans(version string) []catalog.Plan {
	plan := func(name, description string) catalog.Plan {
		return catalog.Plan{
			Name: name, DisplayName: name, Description: description, Bindable: true, Updatable: true,
			Limits:  catalog.Limits{"connections": 10},
			Metrics: []catalog.Metric{{Name: Metric, Unit: "request", Aggregation: "sum", Kind: "delta"}},
		}
	}
	list := []catalog.Plan{
		plan("sync", "Answers at once."),
		plan("async", "Takes a second, and takes parameters."),
		plan("slow", "Takes ten seconds."),
		plan("unbindable", "Cannot be bound."),
		plan("rotatable", "Its bindings can be rotated."),
		plan("maintained", "Has a maintenance version."),
		plan("failing", "Always refuses."),
		plan("lying", "Says that it is done and has done nothing."),
		plan("flaky", "Fails twice before each verb works."),
	}
	for n := range list {
		switch p := &list[n]; p.Name {
		case "async":
			p.Async, p.Schemas = true, catalog.Schemas{Create: parameters, Update: parameters, Bind: parameters}
		case "slow":
			p.Async = true
		case "unbindable":
			p.Bindable = false
		case "rotatable":
			p.Rotatable = true
		case "maintained":
			p.Schemas.Create, p.Schemas.Update = parameters, parameters
			p.Maintenance = &catalog.Maintenance{Version: version, Description: "Mends what was broken before."}
		}
	}
	return list
}

// Offerings lists the one offering, named as the driver was told.
func (d *Driver) Offerings(ctx context.Context) ([]catalog.Offering, error) {
	if err := d.enter(ctx, "offerings", ""); err != nil {
		return nil, err
	}
	return []catalog.Offering{{
		Name: d.name, Kind: "fake", DisplayName: "Fake", Description: "A backend for trying things out: slow, failing, lying and flaky on demand.",
		Tags: []string{"fake", "test"}, Category: "Other", Bindable: true, Updatable: true, Plans: plans(d.version),
	}}, nil
}
