package main

import (
	"context"
	"net"
	"net/netip"
	"path/filepath"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/redis"
)

// redisSettings are servers on this machine, one for each instance, or, for development, one server given by its address.
type redisSettings struct {
	Dir       string      `yaml:"dir"`       // where the servers' folders are
	Listen    string      `yaml:"listen"`    // address the servers listen on; default: 127.0.0.1
	Shared    conf.Secret `yaml:"shared"`    // redis://administrator:…@host:port, or rediss:// for TLS, instead of dir
	CA        string      `yaml:"ca"`        // file of the authority that signed the shared server's certificate, given to apps, too
	Advertise advertise   `yaml:"advertise"` // as apps reach it, by network: a host for dir, host:port for shared

	attached bool // the servers end with the market, as in `sutler dev`
}

// apart is a folder of its own for servers of this machine, which end with the process.
func (s *redisSettings) apart(dir string) (driverSettings, bool) {
	if s.Dir == "" {
		return s, false
	}
	return &redisSettings{Dir: dir, attached: true}, true
}

func (s *redisSettings) check(doc *conf.Document, at string, _ *config) {
	switch {
	case s.Shared.Set() && s.Dir != "":
		doc.Add(at+".shared", "goes without dir: a provider sells servers of one's own or prefixes on a shared one")
	case s.Shared.Set():
		if address := s.Shared.Reveal(); !strings.HasPrefix(address, "redis://") && !strings.HasPrefix(address, "rediss://") {
			doc.Add(at+".shared", "must be the administrator's address, such as redis://admin:${PASSWORD}@host:6379")
		}
		s.Advertise.check(doc, at, advertiseRules{address: checkHostPort, modes: plainOrVerified(), ca: s.CA})
	case s.Dir == "" && !doc.Has(at+".shared"):
		doc.Add(at+".dir", "is missing: the folder that each instance's server has its own folder in")
	case s.Dir != "" && !s.attached && !filepath.IsAbs(s.Dir):
		doc.Add(at+".dir", "must be an absolute path, such as /var/lib/sutler/redis")
	}
	if !s.Shared.Set() {
		s.Advertise.check(doc, at, advertiseRules{address: checkHost, noTLS: "the servers that run on this machine speak no TLS"})
	}
	checkPEM(doc, at+".ca", s.CA)
	if _, err := netip.ParseAddr(s.Listen); s.Listen != "" && err != nil {
		doc.Add(at+".listen", "must be an address such as 127.0.0.1, not %q", s.Listen)
	}
}

// elsewhere is the driver as another node than the servers' knows it.
func (s *redisSettings) elsewhere() (providers.Driver, bool) {
	if s.Dir == "" {
		return nil, false
	}
	networks, _ := s.Advertise.networks() // one of a file that cannot be read is said by the node that has the servers
	return redis.New(redis.Settings{Servers: new(local.Fleet), Networks: networks}), true
}

func (s *redisSettings) offerings() []catalog.Offering {
	var settings redis.Settings
	if s.Shared.Set() {
		settings.Shared = func() (string, error) { return s.Shared.Reveal(), nil }
	}
	list, _ := redis.New(settings).Offerings(context.Background()) // it asks no server
	return list
}

func (s *redisSettings) open(_ context.Context, o opening) (opened, error) {
	networks, err := s.Advertise.networks()
	if err != nil {
		return opened{}, err
	}
	settings := redis.Settings{Networks: networks}
	if settings.CA, err = readPEM(s.CA); err != nil {
		return opened{}, err
	}
	if s.Shared.Set() {
		settings.Shared = func() (string, error) { return s.Shared.Reveal(), nil }
		d := redis.New(settings)
		return opened{driver: d, close: d.Close}, nil
	}
	fleet, err := local.OpenFleet(s.Dir, local.FleetOptions{Kind: "redis", Detached: !s.attached, Host: s.Listen, Log: o.log})
	if err != nil {
		return opened{}, fault.Unavailable.Wrap(err, "The folder of the Redis servers cannot be opened: %v.", err)
	}
	for name, n := range networks { // each instance has a port of its own
		if host, _, err := net.SplitHostPort(n.Address); err == nil {
			n.Address = host
			networks[name] = n
		}
	}
	settings.Servers = fleet
	d := redis.New(settings)
	return opened{driver: d, close: func() {
		d.Close()
		fleet.Close()
	}}, nil
}
