package main

import (
	"context"
	"crypto/x509"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/osb"
)

// osbSettings are an upstream: any Open Service Broker whose plans are sold here.
type osbSettings struct {
	URL      string                  `yaml:"url"` // without /v2
	Username string                  `yaml:"username"`
	Password conf.Secret             `yaml:"password"`
	Token    conf.Secret             `yaml:"token"`   // a bearer token, instead of the two
	CA       string                  `yaml:"ca"`      // file of the authority that signed its certificate; default: the machine's authorities
	Refresh  time.Duration           `yaml:"refresh"` // how long its catalog is good for; 5m
	Poll     time.Duration           `yaml:"poll"`    // between questions how far it is, when it does not say; 2s
	Prefix   string                  `yaml:"prefix"`  // before its offerings' names
	Kinds    map[string]catalog.Kind `yaml:"kinds"`   // by its name of the offering; default: guessed from tags and names
}

func (s *osbSettings) check(doc *conf.Document, at string, _ *config) {
	u, err := url.Parse(s.URL)
	switch {
	case s.URL == "":
		doc.Add(at+".url", "is missing: the broker's address, such as https://broker.example.com")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		doc.Add(at+".url", "must be the broker's address, such as https://broker.example.com") // not the error: it may hold a password
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		doc.Add(at+".url", "must hold no login, query or fragment; the login goes into username and password")
	case strings.HasSuffix(strings.TrimRight(u.Path, "/"), "/v2"):
		doc.Add(at+".url", "must end before /v2")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		doc.Warn(at+".url", "is http: the login and all credentials would travel in clear")
	}
	if s.Token.Set() && (s.Username != "" || s.Password.Set()) {
		doc.Add(at+".token", "stands instead of username and password; leave one of the two out")
	}
	if s.Refresh < 0 || s.Poll < 0 {
		doc.Add(at, "refresh and poll must not be below zero")
	}
	for name, kind := range s.Kinds {
		if _, known := kind.Info(); !known {
			doc.Add(at+".kinds."+name, "the kind %q is not known; known are %s", kind, strings.Join(kindNames(), ", "))
		}
	}
	checkPEM(doc, at+".ca", s.CA)
}

func kindNames() []string {
	var out []string
	for _, k := range catalog.Kinds() {
		out = append(out, string(k.Kind))
	}
	slices.Sort(out)
	return out
}

func (s *osbSettings) open(_ context.Context, o opening) (opened, error) {
	settings := osb.Settings{
		URL: s.URL, Username: s.Username, Password: s.Password.Reveal(), Token: s.Token.Reveal(), Allow: o.egress,
		Refresh: s.Refresh, Poll: s.Poll, Prefix: s.Prefix, Kinds: s.Kinds, Currency: o.currency,
	}
	if s.CA != "" {
		pem, err := os.ReadFile(s.CA)
		if err != nil {
			return opened{}, err
		}
		settings.Roots = x509.NewCertPool()
		if !settings.Roots.AppendCertsFromPEM(pem) {
			return opened{}, fault.Invalid.Errorf("The file %s holds no certificate.", s.CA)
		}
	}
	d := osb.New(settings)
	return opened{driver: d, close: d.Close}, nil
}
