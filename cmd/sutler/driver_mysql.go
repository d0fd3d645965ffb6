package main

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/mysql"
)

// mysqlSettings are one MariaDB server that databases are sold on.
type mysqlSettings struct {
	Admin     conf.Secret `yaml:"admin"`     // mysql://administrator:…@host:port/, as the market reaches it
	Advertise advertise   `yaml:"advertise"` // host:port as apps reach it, by network; default: the administrator's
	TLS       string      `yaml:"tls"`       // TLS mode in the credentials; from "require" on the server insists
	CA        string      `yaml:"ca"`        // file of the authority that signed the server's certificate, given to apps
}

func (s *mysqlSettings) check(doc *conf.Document, at string, _ *config) {
	if u, err := url.Parse(s.Admin.Reveal()); !s.Admin.Set() || err != nil || (u.Scheme != "mysql" && u.Scheme != "mariadb") || u.Host == "" {
		if s.Admin.Set() || !doc.Has(at+".admin") { // what could not be resolved has been said
			doc.Add(at+".admin", "must be the administrator's address, such as mysql://admin:${PASSWORD}@host:3306/?tls=verify-full")
		}
	}
	s.Advertise.check(doc, at, advertiseRules{address: checkHostPort, modes: mysql.Modes(), needsCA: true, ca: s.CA})
	if s.TLS != "" && !slices.Contains(mysql.Modes(), s.TLS) {
		doc.Add(at+".tls", "must be one of %s", strings.Join(mysql.Modes(), ", "))
	}
	if strings.HasPrefix(s.TLS, "verify") && s.CA == "" {
		doc.Add(at+".ca", "is missing: apps cannot verify the server without the authority's certificate")
	}
	checkPEM(doc, at+".ca", s.CA)
}

func (*mysqlSettings) offerings() []catalog.Offering {
	list, _ := mysql.New(mysql.Settings{}).Offerings(context.Background()) // it asks no server
	return list
}

func (s *mysqlSettings) open(context.Context, opening) (opened, error) {
	ca, err := readPEM(s.CA)
	if err != nil {
		return opened{}, err
	}
	networks, err := s.Advertise.networks()
	if err != nil {
		return opened{}, err
	}
	networks[defaultNetwork] = networks[defaultNetwork].Or(providers.Network{TLS: s.TLS, CA: ca})
	d := mysql.New(mysql.Settings{Admin: mysql.Address(s.Admin.Reveal()), Networks: networks})
	return opened{driver: d, close: d.Close}, nil
}

// devMySQL is a MariaDB server that is started with the market and ends with it.
type devMySQL struct{ dir, password string }

func (*devMySQL) check(*conf.Document, string, *config) {}

func (*devMySQL) offerings() []catalog.Offering { return (*mysqlSettings)(nil).offerings() }

// open starts the server beside the market's own start, as PostgreSQL's.
func (s *devMySQL) open(ctx context.Context, o opening) (opened, error) {
	server := local.Background(context.WithoutCancel(ctx), "MariaDB", o.log, func(ctx context.Context) (*local.Server, error) {
		return local.MySQL(ctx, s.dir, s.password, false)
	})
	driver := mysql.New(mysql.Settings{Admin: func() (string, error) {
		running, err := server.Server()
		if err != nil {
			return "", err
		}
		return running.URL(), nil
	}})
	return opened{driver: driver, close: func() {
		driver.Close()
		server.Stop()
	}}, nil
}
