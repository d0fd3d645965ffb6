package fake

import (
	"context"

	"github.com/sutlerhq/sutler/providers"
)

// Set gives the providers of a market that has this fake alone, probed once: for tests of rooms that never see a provider themselves.
func (d *Driver) Set(ctx context.Context, name, region string) *providers.Set {
	p := providers.New(providers.Settings{Name: name, Region: region, Driver: "fake", Failures: 1000}, d, nil)
	_ = p.Probe(ctx) // its status tells
	return providers.NewSet(p)
}
