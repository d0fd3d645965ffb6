package main

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/providers/postgres"
)

// postgresSettings are one PostgreSQL server that databases are sold on.
type postgresSettings struct {
	Admin     conf.Secret `yaml:"admin"`     // postgres://administrator:…@host:port/postgres, as the market reaches it; ?sslmode=verify-full&sslrootcert=FILE
	Advertise advertise   `yaml:"advertise"` // host:port as apps reach it, by network; default: the administrator's
	TLS       string      `yaml:"tls"`       // sslmode in the credentials; default: prefer
	CA        string      `yaml:"ca"`        // file of the authority that signed the server's certificate, given to apps
}

func (s *postgresSettings) check(doc *conf.Document, at string, _ *config) {
	if u, err := url.Parse(s.Admin.Reveal()); !s.Admin.Set() || err != nil || !strings.HasPrefix(u.Scheme, "postgres") || u.Host == "" {
		if s.Admin.Set() || !doc.Has(at+".admin") { // what could not be resolved has been said
			doc.Add(at+".admin", "must be the administrator's address, such as postgres://admin:${PASSWORD}@host:5432/postgres")
		}
	}
	s.Advertise.check(doc, at, advertiseRules{address: checkHostPort, modes: allModes(), needsCA: true, ca: s.CA})
	if s.TLS != "" && !slices.Contains(allModes(), s.TLS) {
		doc.Add(at+".tls", "must be one of %s", strings.Join(allModes(), ", "))
	}
	if strings.HasPrefix(s.TLS, "verify") && s.CA == "" {
		doc.Add(at+".ca", "is missing: apps cannot verify the server without the authority's certificate")
	}
	checkPEM(doc, at+".ca", s.CA)
}

func (*postgresSettings) offerings() []catalog.Offering {
	list, _ := postgres.New(postgres.Settings{}).Offerings(context.Background()) // it asks no server
	return list
}

func (s *postgresSettings) open(context.Context, opening) (opened, error) {
	ca, err := readPEM(s.CA)
	if err != nil {
		return opened{}, err
	}
	networks, err := s.Advertise.networks()
	if err != nil {
		return opened{}, err
	}
	d := postgres.New(postgres.Settings{Admin: postgres.Address(s.Admin.Reveal()), SSLMode: s.TLS, CA: ca, Networks: networks})
	return opened{driver: d, close: d.Close}, nil
}
