package main

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/outbound"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/rabbitmq"
)

// rabbitmqSettings are one RabbitMQ server that virtual hosts are sold on.
type rabbitmqSettings struct {
	Admin      conf.Secret `yaml:"admin"`      // http(s)://administrator:…@host:15672, the management plugin as the market reaches it
	Advertise  advertise   `yaml:"advertise"`  // host:port of AMQP as apps reach it, by network
	TLS        bool        `yaml:"tls"`        // AMQP speaks TLS there
	CA         string      `yaml:"ca"`         // file of the authority that signed the certificates of both, given to apps, too
	Management bool        `yaml:"management"` // bindings may use the management pages of their own virtual host
}

func (s *rabbitmqSettings) check(doc *conf.Document, at string, _ *config) {
	u, err := url.Parse(s.Admin.Reveal())
	if !s.Admin.Set() || err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User == nil {
		if s.Admin.Set() || !doc.Has(at+".admin") { // what could not be resolved has been said
			doc.Add(at+".admin", "must be the address of the management plugin, such as https://admin:${PASSWORD}@host:15671")
		}
	} else if u.Scheme == "http" && !loopback(u.Hostname()) {
		doc.Warn(at+".admin", "is http: the administrator's password would travel in clear")
	}
	if s.Advertise[defaultNetwork] == (advertised{}) {
		doc.Add(at+".advertise."+defaultNetwork, "is missing: host:port of AMQP as apps reach it")
	}
	s.Advertise.check(doc, at, advertiseRules{address: checkHostPort, modes: plainOrVerified(), ca: s.CA})
	checkPEM(doc, at+".ca", s.CA)
}

func (*rabbitmqSettings) offerings() []catalog.Offering {
	list, _ := rabbitmq.New(rabbitmq.Settings{}).Offerings(context.Background()) // it asks no server
	return list
}

func (s *rabbitmqSettings) open(_ context.Context, o opening) (opened, error) {
	ca, err := readPEM(s.CA)
	if err != nil {
		return opened{}, err
	}
	through, err := reach(o.egress, ca)
	if err != nil {
		return opened{}, err
	}
	networks, err := s.Advertise.networks()
	if err != nil {
		return opened{}, err
	}
	return opened{driver: rabbitmq.New(rabbitmq.Settings{
		Server: rabbitmq.At(rabbitmq.Server{Admin: s.Admin.Reveal(), AMQP: networks[defaultNetwork].Address}),
		TLS:    s.TLS, CA: ca, Networks: networks, Management: s.Management, Transport: through,
	})}, nil
}

// reach is the way to a server's HTTP interface, verified by the authority ca (PEM; empty: the machine's): no address that egress does not allow, and
// answers of any length, for they may be objects.
func reach(egress []netip.Prefix, ca string) (http.RoundTripper, error) {
	roots, err := providers.Roots(ca)
	return outbound.Client(outbound.Policy{Allow: egress, MaxBody: 1 << 50, Roots: roots}).Transport, err
}

// home is how servers that `sutler dev` started are reached.
func home() http.RoundTripper {
	through, _ := reach([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, "") // no authority is no bad one
	return through
}
