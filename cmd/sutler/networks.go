package main

import (
	"net"
	"os"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/providers"
)

// defaultNetwork is where an app is that names no network.
const defaultNetwork = providers.DefaultNetwork

// advertised is how the apps of one network reach a provider's servers. In a configuration an address alone stands for all of it.
type advertised struct {
	Address string `yaml:"address,short"` // as the driver wants it: host:port mostly
	TLS     string `yaml:"tls"`           // one of the driver's words; default: as the provider's settings say
	CA      string `yaml:"ca"`            // file of the authority that signed the certificate seen there; default: the provider's
}

// advertise is how apps reach a provider's servers, by the network that they stand in and that a binding names.
type advertise map[string]advertised

// advertiseRules are what a driver asks of advertised addresses.
type advertiseRules struct {
	address func(doc *conf.Document, at, address string)
	modes   []string // words for TLS; none: TLS is not for the network to say
	noTLS   string   // why, when there are none
	needsCA bool     // apps verify by the given authority alone, so a network that verifies must have one
	ca      string   // the provider's own
}

// check adds every problem of advertised addresses to doc.
func (a advertise) check(doc *conf.Document, at string, r advertiseRules) {
	for name, n := range a {
		here := at + ".advertise." + name
		if !providerName.MatchString(name) {
			doc.Add(here, "must be a name of a-z, 0-9 and dashes, at most 63 long")
		}
		if n.Address == "" {
			doc.Add(here+".address", "is missing: where apps in this network reach the provider")
		} else {
			r.address(doc, here, n.Address)
		}
		switch {
		case n.TLS == "":
		case len(r.modes) == 0:
			doc.Add(here+".tls", "%s", r.noTLS)
		case !slices.Contains(r.modes, n.TLS):
			doc.Add(here+".tls", "must be one of %s", strings.Join(r.modes, ", "))
		case r.needsCA && strings.HasPrefix(n.TLS, "verify") && n.CA == "" && r.ca == "":
			doc.Add(here+".ca", "is missing: apps cannot verify the server without the authority's certificate")
		}
		checkPEM(doc, here+".ca", n.CA)
	}
}

// allModes are the words of drivers whose clients know every degree of TLS.
func allModes() []string { return providers.Modes() }

// plainOrVerified are the words of drivers whose clients either verify whom they speak to or speak no TLS.
func plainOrVerified() []string { return []string{"disable", "verify-full"} }

// networks reads the files of the authorities and gives every network what its apps are told. Errors: a file that cannot be read.
func (a advertise) networks() (providers.Networks, error) {
	out := providers.Networks{}
	for name, n := range a {
		ca, err := readPEM(n.CA)
		if err != nil {
			return nil, err
		}
		out[name] = providers.Network{Address: n.Address, TLS: n.TLS, CA: ca}
	}
	return out, nil
}

// readPEM reads a file that was checked before; no file is no text.
func readPEM(file string) (string, error) {
	if file == "" {
		return "", nil
	}
	b, err := os.ReadFile(file) //nolint:gosec // the operator's own file
	return string(b), err
}

func checkHostPort(doc *conf.Document, at, address string) {
	if _, _, err := net.SplitHostPort(address); err != nil {
		doc.Add(at, "must be host:port, not %q", address)
	}
}

// checkHost takes a host alone, and also with a port, which then is passed over.
func checkHost(doc *conf.Document, at, address string) {
	if host, _, err := net.SplitHostPort(address); err == nil {
		address = host
	}
	if address == "" || strings.ContainsAny(address, "/@ ") {
		doc.Add(at, "must be a host, not %q: each instance has a port of its own", address)
	}
}

func checkPEM(doc *conf.Document, at, path string) {
	if path == "" {
		return
	}
	b, err := os.ReadFile(path) //nolint:gosec // the operator's own file
	if err != nil {
		doc.Add(at, "the file %s cannot be read", path)
	} else if !strings.Contains(string(b), "BEGIN CERTIFICATE") {
		doc.Add(at, "the file %s holds no certificate in PEM form", path)
	}
}
