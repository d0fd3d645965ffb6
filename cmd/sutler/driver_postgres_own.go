package main

import (
	"net"
	"net/netip"
	"path/filepath"

	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
)

// dedicatedSettings are PostgreSQL servers on this machine, one for each instance.
type dedicatedSettings struct {
	Dir    string `yaml:"dir"`    // where the servers' folders are
	Mode   string `yaml:"mode"`   // detached: they outlive the market's process, the default; attached: they end with it
	Listen string `yaml:"listen"` // address the servers listen on; default: 127.0.0.1
}

func (s *postgresSettings) checkDedicated(doc *conf.Document, at string) {
	d := s.Dedicated
	if s.Admin.Set() || doc.Has(at+".admin") {
		doc.Add(at+".admin", "goes without dedicated: a provider sells databases on a given server or servers of one's own")
	}
	for key, value := range map[string]string{"tls": s.TLS, "ca": s.CA} {
		if value != "" {
			doc.Add(at+"."+key, "goes without dedicated: servers of one's own speak no TLS; keep them in a private network")
		}
	}
	switch {
	case d.Dir == "":
		doc.Add(at+".dedicated.dir", "is missing: the folder that each instance's server has its own folder in")
	case !filepath.IsAbs(d.Dir):
		doc.Add(at+".dedicated.dir", "must be an absolute path, such as /var/lib/sutler/postgres")
	}
	if d.Mode != "" && d.Mode != "attached" && d.Mode != "detached" {
		doc.Add(at+".dedicated.mode", "must be attached or detached, not %q", d.Mode)
	}
	if _, err := netip.ParseAddr(d.Listen); d.Listen != "" && err != nil {
		doc.Add(at+".dedicated.listen", "must be an address such as 127.0.0.1, not %q", d.Listen)
	}
	s.Advertise.check(doc, at, advertiseRules{address: checkHost, noTLS: "the servers that run on this machine speak no TLS"})
	for name := range s.Advertise {
		if name != defaultNetwork {
			doc.Add(at+".advertise."+name, "servers of one's own are advertised to the network %q alone", defaultNetwork)
		}
	}
}

// apart is a folder of its own for servers of this machine, which end with the process.
func (s *postgresSettings) apart(dir string) (driverSettings, bool) {
	if s.Dedicated == nil {
		return s, false
	}
	return &postgresSettings{Dedicated: &dedicatedSettings{Dir: dir, Mode: "attached"}}, true
}

// elsewhere is the driver as another node than the servers' knows it.
func (s *postgresSettings) elsewhere() (providers.Driver, bool) {
	if s.Dedicated == nil {
		return nil, false
	}
	return postgres.New(postgres.Settings{Servers: new(local.Fleet)}), true
}

func (s *postgresSettings) openDedicated(o opening) (opened, error) {
	d := s.Dedicated
	fleet, err := local.OpenFleet(d.Dir, local.FleetOptions{Kind: "postgresql", Detached: d.Mode != "attached", Host: d.Listen, Log: o.log})
	if err != nil {
		return opened{}, fault.Unavailable.Wrap(err, "The folder of the PostgreSQL servers cannot be opened: %v.", err)
	}
	advertised := s.Advertise[defaultNetwork].Address
	if host, _, err := net.SplitHostPort(advertised); err == nil {
		advertised = host // each instance has a port of its own
	}
	driver := postgres.New(postgres.Settings{Servers: fleet, Advertised: advertised})
	return opened{driver: driver, close: func() {
		driver.Close()
		fleet.Close()
	}}, nil
}
