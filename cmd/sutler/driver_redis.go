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
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/redis"
)

// redisSettings are servers on this machine, one for each instance, or, for development, one server given by its address.
type redisSettings struct {
	Dir       string            `yaml:"dir"`       // where the servers' folders are
	Listen    string            `yaml:"listen"`    // address the servers listen on; default: 127.0.0.1
	Shared    conf.Secret       `yaml:"shared"`    // redis://administrator:…@host:port, instead of dir
	Advertise map[string]string `yaml:"advertise"` // as apps reach it, by network: a host for dir, host:port for shared

	attached bool // the servers end with the market, as in `sutler dev`
}

func (s *redisSettings) check(doc *conf.Document, at string, c *config) {
	switch {
	case s.Shared.Set() && s.Dir != "":
		doc.Add(at+".shared", "goes without dir: a provider sells servers of one's own or prefixes on a shared one")
	case s.Shared.Set():
		if !strings.HasPrefix(s.Shared.Reveal(), "redis://") {
			doc.Add(at+".shared", "must be the administrator's address, such as redis://admin:${PASSWORD}@host:6379")
		}
		checkAdvertise(doc, at, s.Advertise)
	case s.Dir == "" && !doc.Has(at+".shared"):
		doc.Add(at+".dir", "is missing: the folder that each instance's server has its own folder in")
	case s.Dir != "" && !s.attached && !filepath.IsAbs(s.Dir):
		doc.Add(at+".dir", "must be an absolute path, such as /var/lib/sutler/redis")
	case c.postgres():
		doc.Add(at+".dir", "servers on this machine cannot be shared by the processes of a PostgreSQL store; use a SQLite store")
	}
	if _, err := netip.ParseAddr(s.Listen); s.Listen != "" && err != nil {
		doc.Add(at+".listen", "must be an address such as 127.0.0.1, not %q", s.Listen)
	}
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
	settings := redis.Settings{Advertised: s.Advertise[defaultNetwork]}
	if s.Shared.Set() {
		settings.Shared = func() (string, error) { return s.Shared.Reveal(), nil }
		d := redis.New(settings)
		return opened{driver: d, close: d.Close}, nil
	}
	fleet, err := local.OpenFleet(s.Dir, local.FleetOptions{Kind: "redis", Detached: !s.attached, Host: s.Listen, Log: o.log})
	if err != nil {
		return opened{}, fault.Unavailable.Wrap(err, "The folder of the Redis servers cannot be opened: %v.", err)
	}
	if host, _, err := net.SplitHostPort(settings.Advertised); err == nil {
		settings.Advertised = host
	}
	settings.Servers = fleet
	d := redis.New(settings)
	return opened{driver: d, close: func() {
		d.Close()
		fleet.Close()
	}}, nil
}
