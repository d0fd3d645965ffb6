package main

import (
	"github.com/sutlerhq/sutler/billing"
	"github.com/sutlerhq/sutler/billing/stripe"
	"github.com/sutlerhq/sutler/internal/outbound"
)

// collector is where invoices are pushed: to Stripe when its key is configured, else nowhere (nil).
func (c config) collector() (billing.Collector, error) {
	if c.Stripe == nil {
		return nil, nil
	}
	return stripe.New(stripe.Config{Key: c.Stripe.Key.Secret, URL: c.Stripe.URL, Client: outbound.Client(outbound.Policy{Allow: c.Egress})})
}
