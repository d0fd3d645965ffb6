package main

import (
	"context"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/providers/postgres"
)

// postgresSettings are one PostgreSQL server that databases are sold on.
type postgresSettings struct {
	Admin     conf.Secret       `yaml:"admin"`     // postgres://administrator:…@host:port/postgres, as the market reaches it
	Advertise map[string]string `yaml:"advertise"` // host:port as apps reach it, by network; default: the administrator's
	TLS       string            `yaml:"tls"`       // sslmode in the credentials; default: prefer
	CA        string            `yaml:"ca"`        // file of the authority that signed the server's certificate, given to apps
}

// defaultNetwork is where an app is whose network is not known. Apps do not say theirs yet, so it is the only one.
const defaultNetwork = "default"

func (s *postgresSettings) check(doc *conf.Document, at string, _ *config) {
	if u, err := url.Parse(s.Admin.Reveal()); !s.Admin.Set() || err != nil || !strings.HasPrefix(u.Scheme, "postgres") || u.Host == "" {
		if s.Admin.Set() || !doc.Has(at+".admin") { // what could not be resolved has been said
			doc.Add(at+".admin", "must be the administrator's address, such as postgres://admin:${PASSWORD}@host:5432/postgres")
		}
	}
	checkAdvertise(doc, at, s.Advertise)
	modes := []string{"", "disable", "prefer", "require", "verify-ca", "verify-full"}
	if !slices.Contains(modes, s.TLS) {
		doc.Add(at+".tls", "must be one of %s", strings.Join(modes[1:], ", "))
	}
	if strings.HasPrefix(s.TLS, "verify") && s.CA == "" {
		doc.Add(at+".ca", "is missing: apps cannot verify the server without the authority's certificate")
	}
	checkPEM(doc, at+".ca", s.CA)
}

func checkAdvertise(doc *conf.Document, at string, networks map[string]string) {
	for name, address := range networks {
		if name != defaultNetwork {
			doc.Add(at+".advertise."+name, "apps do not tell their network yet; only %q is given to them", defaultNetwork)
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			doc.Add(at+".advertise."+name, "must be host:port, not %q", address)
		}
	}
}

func checkPEM(doc *conf.Document, at, path string) {
	if path == "" {
		return
	}
	b, err := os.ReadFile(path)
	if err != nil {
		doc.Add(at, "the file %s cannot be read", path)
	} else if !strings.Contains(string(b), "BEGIN CERTIFICATE") {
		doc.Add(at, "the file %s holds no certificate in PEM form", path)
	}
}

func (*postgresSettings) offerings() []catalog.Offering {
	list, _ := postgres.New(postgres.Settings{}).Offerings(context.Background()) // it asks no server
	return list
}

func (s *postgresSettings) open(context.Context, opening) (opened, error) {
	var ca []byte
	if s.CA != "" {
		var err error
		if ca, err = os.ReadFile(s.CA); err != nil {
			return opened{}, err
		}
	}
	d := postgres.New(postgres.Settings{
		Admin: postgres.Address(s.Admin.Reveal()), Advertised: s.Advertise[defaultNetwork], SSLMode: s.TLS, CA: string(ca),
	})
	return opened{driver: d, close: d.Close}, nil
}
