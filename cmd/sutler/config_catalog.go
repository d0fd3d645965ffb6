package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/providers/fake"
)

// offerer is a driver's settings that can tell what it offers without the backend.
type offerer interface {
	offerings() []catalog.Offering
}

// checkCatalog assembles what would be sold from what the drivers offer and the configured terms, and adds what is wrong with it.
func (c *config) checkCatalog(doc *conf.Document) {
	var sources []catalog.Source
	for n, p := range c.Providers {
		if o, ok := p.settings.(offerer); ok {
			sources = append(sources, catalog.Source{Provider: c.placeOf(n), Region: p.Region, Offerings: o.offerings(), Terms: p.Offerings})
		}
	}
	_, problems := catalog.Assemble(c.Currency, sources)
	for _, p := range problems {
		doc.Add(c.path(p.Path), "%s", p.Reason)
	}
}

// placeOf is the n-th provider's name in the places of the catalog: another one for a second provider of a taken name.
func (c *config) placeOf(n int) string {
	name := c.Providers[n].Name
	if slices.ContainsFunc(c.Providers[:n], func(p providerConfig) bool { return p.Name == name }) {
		return fmt.Sprintf("%s#%d", name, n)
	}
	return name
}

// path turns a place in the catalog ("providers/pg/offerings/0/plans/1/rates/0") into one in the document.
func (c *config) path(place string) string {
	parts := strings.Split(strings.TrimPrefix(place, "/"), "/")
	out := ""
	for i, part := range parts {
		switch {
		case i == 1 && parts[0] == "providers":
			for n := range c.Providers {
				if c.placeOf(n) == part {
					out += fmt.Sprintf("[%d]", n)
				}
			}
		case part != "" && strings.Trim(part, "0123456789") == "":
			out += "[" + part + "]"
		case out == "":
			out = part
		default:
			out += "." + part
		}
	}
	// the catalog knows prices by currency; the document calls those of the market's currency rates
	return strings.ReplaceAll(out, ".prices."+c.Currency+"[", ".rates[")
}

func (*fakeSettings) offerings() []catalog.Offering {
	list, _ := fake.New(fake.Options{}).Offerings(context.Background()) // it asks nobody
	return list
}
