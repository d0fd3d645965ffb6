package main

import (
	"context"
	"net/url"
	"os"
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
	Admin     conf.Secret       `yaml:"admin"`     // mysql://administrator:…@host:port/, as the market reaches it
	Advertise map[string]string `yaml:"advertise"` // host:port as apps reach it, by network; default: the administrator's
	TLS       string            `yaml:"tls"`       // TLS mode in the credentials; from "require" on the server insists
	CA        string            `yaml:"ca"`        // file of the authority that signed the server's certificate, given to apps
}

func (s *mysqlSettings) check(doc *conf.Document, at string, _ *config) {
	if u, err := url.Parse(s.Admin.Reveal()); !s.Admin.Set() || err != nil || (u.Scheme != "mysql" && u.Scheme != "mariadb") || u.Host == "" {
		if s.Admin.Set() || !doc.Has(at+".admin") { // what could not be resolved has been said
			doc.Add(at+".admin", "must be the administrator's address, such as mysql://admin:${PASSWORD}@host:3306/?tls=verify-full")
		}
	}
	checkNetworks(doc, at, s.Advertise)
	if s.TLS != "" && !slices.Contains(mysql.Modes(), s.TLS) {
		doc.Add(at+".tls", "must be one of %s", strings.Join(mysql.Modes(), ", "))
	}
	if strings.HasPrefix(s.TLS, "verify") && s.CA == "" {
		doc.Add(at+".ca", "is missing: apps cannot verify the server without the authority's certificate")
	}
	checkPEM(doc, at+".ca", s.CA)
}

// checkNetworks checks addresses by the name of a network that a binding may ask for.
func checkNetworks(doc *conf.Document, at string, networks map[string]string) {
	for name, address := range networks {
		if !providerName.MatchString(name) {
			doc.Add(at+".advertise."+name, "must be a name of a-z, 0-9 and dashes, at most 63 long")
		}
		checkAdvertise(doc, at, map[string]string{defaultNetwork: address})
	}
}

// networksOf gives every named network its address, with the provider's TLS mode and authority.
func networksOf(advertise map[string]string, mode, file string) (providers.Networks, error) {
	var ca []byte
	if file != "" {
		var err error
		if ca, err = os.ReadFile(file); err != nil {
			return nil, err
		}
	}
	out := providers.Networks{defaultNetwork: {TLS: mode, CA: string(ca)}}
	for name, address := range advertise {
		out[name] = providers.Network{Address: address, TLS: mode, CA: string(ca)}
	}
	return out, nil
}

func (*mysqlSettings) offerings() []catalog.Offering {
	list, _ := mysql.New(mysql.Settings{}).Offerings(context.Background()) // it asks no server
	return list
}

func (s *mysqlSettings) open(context.Context, opening) (opened, error) {
	networks, err := networksOf(s.Advertise, s.TLS, s.CA)
	if err != nil {
		return opened{}, err
	}
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
