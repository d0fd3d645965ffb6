package providers

import (
	"context"

	"github.com/sutlerhq/sutler/catalog"
)

// Status is whether a provider answers.
type Status string

// A provider is Starting until its backend first answered, then Up, or Down while it does not; Cordoned refuses new instances.
const (
	Starting Status = "starting"
	Up       Status = "up"
	Down     Status = "down"
	Cordoned Status = "cordoned"
)

// Settings describe one configured provider.
type Settings struct {
	Name   string
	Region string
	Driver string // the driver's name, for people
}

// Provider is a configured seller of backends: a Driver behind a deadline per call, a breaker, classed errors and a log.
// Capabilities are asserted here and nowhere else: a verb whose capability is missing gives fault.Unprocessable.
type Provider struct {
	Settings
	driver Driver
}

// Set is the market's providers by name, in the configuration's order.
type Set struct{ list []*Provider }

// Offerings asks the driver.
func (p *Provider) Offerings(ctx context.Context) ([]catalog.Offering, error) {
	return p.driver.Offerings(ctx)
}
