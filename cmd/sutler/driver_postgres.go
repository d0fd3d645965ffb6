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

// postgresSettings are one PostgreSQL server that databases are sold on, or servers on this machine, one for each instance.
type postgresSettings struct {
	Admin     conf.Secret        `yaml:"admin"`     // postgres://administrator:…@host:port/postgres, as the market reaches it; ?sslmode=verify-full&sslrootcert=FILE
	Dedicated *dedicatedSettings `yaml:"dedicated"` // instead of admin
	Advertise advertise          `yaml:"advertise"` // host:port as apps reach it, a host for dedicated, by network; default: the administrator's
	TLS       string             `yaml:"tls"`       // sslmode in the credentials; default: prefer
	CA        string             `yaml:"ca"`        // file of the authority that signed the server's certificate, given to apps
}

func (s *postgresSettings) check(doc *conf.Document, at string, _ *config) {
	if s.Dedicated != nil {
		s.checkDedicated(doc, at)
		return
	}
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

func (s *postgresSettings) offerings() []catalog.Offering {
	if s.Dedicated != nil {
		d, _ := s.elsewhere()
		list, _ := d.Offerings(context.Background()) // it asks no server
		return list
	}
	list, _ := postgres.New(postgres.Settings{}).Offerings(context.Background()) // it asks no server
	return list
}

func (s *postgresSettings) open(_ context.Context, o opening) (opened, error) {
	if s.Dedicated != nil {
		return s.openDedicated(o)
	}
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
