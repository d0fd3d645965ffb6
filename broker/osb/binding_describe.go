package osb

import (
	"context"

	"github.com/sutlerhq/sutler/broker"
)

// instantForm is how the protocol writes an instant.
const instantForm = "2006-01-02T15:04:05.0Z"

// endpoint is one address of a binding on the wire.
type endpoint struct {
	Host     string   `json:"host"`
	Ports    []string `json:"ports"`
	Protocol string   `json:"protocol,omitempty"`
}

// endpointsSince is the version 2.x that brought endpoints. A client from before knows a draft of them with other types, and cannot read ours.
const endpointsSince = 15

// describe adds to a binding's answer where the backend is and how long the credentials last.
func describe(ctx context.Context, c broker.Credentials) {
	b := boxOf(ctx)
	var at []endpoint
	for _, e := range c.Endpoints {
		at = append(at, endpoint{e.Host, e.Ports, e.Protocol})
	}
	if len(at) > 0 && b.minor >= endpointsSince {
		b.add("endpoints", at)
	}
	lasts := map[string]string{}
	if t := c.Binding.ExpiresAt; !t.IsZero() {
		lasts["expires_at"] = t.UTC().Format(instantForm)
	}
	if t := c.Binding.RenewBefore(); !t.IsZero() {
		lasts["renew_before"] = t.UTC().Format(instantForm)
	}
	if len(lasts) > 0 {
		b.add("metadata", lasts)
	}
}
