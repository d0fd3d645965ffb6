package main

import (
	"github.com/sutlerhq/sutler/identity/directory"
	"github.com/sutlerhq/sutler/identity/issuer"
	"github.com/sutlerhq/sutler/identity/signin"
	"github.com/sutlerhq/sutler/internal/outbound"
)

// issuers lists whom people may come in through: our own first, then the configured ones.
func (n *node) issuers(ours *issuer.Issuer) []signin.Issuer {
	list := []signin.Issuer{{
		ID: directory.OwnIssuer, Name: "Sutler", URL: ours.URL(), Client: issuer.WebClient,
		HTTP: signin.Inside(ours.URL(), ours),
	}}
	reach := outbound.Client(outbound.Policy{Allow: n.config.Egress})
	for _, c := range n.config.Identity.Issuers {
		list = append(list, signin.Issuer{ID: c.URL, Name: c.Name, URL: c.URL, Client: c.ClientID, Secret: c.ClientSecret.Secret, HTTP: reach})
	}
	return list
}
