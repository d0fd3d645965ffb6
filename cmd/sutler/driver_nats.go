package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/nats"
)

// natsSettings are given NATS servers in operator mode, or a NATS server inside this process, which must be asked for by name, for it lives
// and dies with the process.
type natsSettings struct {
	Servers     []string    `yaml:"servers"`      // nats://host:port or tls://host:port, as the market reaches them
	OperatorKey conf.Secret `yaml:"operator_key"` // seed of the operator or of one of its signing keys
	AccountKey  conf.Secret `yaml:"account_key"`  // what accounts' keys are derived from, for ever; default: the operator_key
	SystemCreds conf.Secret `yaml:"system_creds"` // text of the creds of a user of the system account
	CA          string      `yaml:"ca"`           // file of the authority that signed the servers' certificates, given to apps, too
	TLS         bool        `yaml:"tls"`          // apps connect with TLS
	Advertise   advertise   `yaml:"advertise"`    // host:port as apps reach it, by network; default: the first server, or where it listens

	Embedded bool   `yaml:"embedded"`
	Dir      string `yaml:"dir"`    // what it keeps
	Listen   string `yaml:"listen"` // host:port; default: a free port of 127.0.0.1, the same after a restart when it is free
	Cert     string `yaml:"cert"`   // files of its certificate and key: with both it speaks TLS, and only that
	Key      string `yaml:"key"`
}

// apart is a server of its own when the server is one inside the process.
func (s *natsSettings) apart(dir string) (driverSettings, bool) {
	if !s.Embedded {
		return s, false
	}
	return &natsSettings{Embedded: true, Dir: dir}, true
}

func (s *natsSettings) check(doc *conf.Document, at string, c *config) {
	s.Advertise.check(doc, at, advertiseRules{address: checkHostPort, modes: plainOrVerified(), ca: s.CA})
	checkPEM(doc, at+".ca", s.CA)
	checkPEM(doc, at+".cert", s.Cert)
	if !s.Embedded {
		s.checkServers(doc, at)
		return
	}
	if len(s.Servers) > 0 {
		doc.Add(at+".servers", "are given, and the server inside the process is asked for; choose one of the two")
	}
	if c.postgres() {
		doc.Add(at+".embedded", "a NATS server inside the process cannot be shared by the processes of a PostgreSQL store; use a SQLite store, or give servers")
	}
	if (s.Cert == "") != (s.Key == "") {
		doc.Add(at+".cert", "and key go together: the files of the server's certificate and of its key")
	}
	if s.TLS && s.Cert == "" {
		doc.Add(at+".tls", "is said by cert and key: without them the server inside the process speaks none")
	}
	if s.Dir == "" {
		doc.Add(at+".dir", "is missing: the folder that the NATS server keeps its keys and streams in")
	}
	if s.Listen != "" {
		if _, port, err := net.SplitHostPort(s.Listen); err != nil {
			doc.Add(at+".listen", "must be host:port, not %q", s.Listen)
		} else if _, ok := portOf(port); !ok {
			doc.Add(at+".listen", "the port %q is none", port)
		}
	}
}

// checkServers checks what is said of servers that somebody else runs.
func (s *natsSettings) checkServers(doc *conf.Document, at string) {
	if len(s.Servers) == 0 && !doc.Has(at+".servers") {
		doc.Add(at+".servers", "are missing: the NATS servers, such as [nats://host:4222]; or embedded: true, for one inside the process")
		return
	}
	for n, address := range s.Servers {
		u, err := url.Parse(address)
		if err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" || u.User != nil {
			doc.Add(fmt.Sprintf("%s.servers[%d]", at, n), "must be an address without a login, such as nats://host:4222 or tls://host:4222")
		} else if _, _, err := net.SplitHostPort(u.Host); err != nil {
			doc.Add(fmt.Sprintf("%s.servers[%d]", at, n), "must name a port, as in nats://host:4222")
		}
	}
	if !strings.HasPrefix(s.OperatorKey.Reveal(), "SO") && !doc.Has(at+".operator_key") {
		doc.Add(at+".operator_key", "must be the seed of the operator or of one of its signing keys: it begins with SO")
	}
	if !strings.Contains(s.SystemCreds.Reveal(), "BEGIN NATS USER JWT") && !doc.Has(at+".system_creds") {
		doc.Add(at+".system_creds", "must be the creds of a user of the system account, such as file:/etc/sutler/nats-system.creds")
	}
	if s.Dir != "" || s.Listen != "" || s.Cert != "" || s.Key != "" {
		doc.Add(at, "dir, listen, cert and key are for a server inside the process")
	}
}

func (*natsSettings) offerings() []catalog.Offering {
	list, _ := new(nats.Driver).Offerings(context.Background()) // it asks no server
	for i := range list {
		list[i].Name = cmp.Or(list[i].Name, "nats")
	}
	return list
}

// openServers connects to servers that somebody else runs.
func (s *natsSettings) openServers() (opened, error) {
	ca, err := readPEM(s.CA)
	if err != nil {
		return opened{}, err
	}
	networks, err := s.Advertise.networks()
	if err != nil {
		return opened{}, err
	}
	d, err := nats.Connect(nats.ClusterSettings{
		Servers: s.Servers, OperatorKey: strings.TrimSpace(s.OperatorKey.Reveal()), AccountKey: s.AccountKey.Reveal(), SystemCreds: s.SystemCreds.Reveal(),
		CA: []byte(ca), TLS: s.TLS, Networks: networks,
	})
	if err != nil {
		return opened{}, err
	}
	return opened{driver: d, close: d.Stop}, nil
}

// encrypt reads what the server inside the process and its apps need for TLS, and how the apps reach it.
func (s *natsSettings) encrypt(settings *nats.Settings) (err error) {
	for _, part := range []struct {
		file string
		to   *string
	}{{s.Cert, &settings.Cert}, {s.Key, &settings.Key}, {s.CA, &settings.CA}} {
		if *part.to, err = readPEM(part.file); err != nil {
			return err
		}
	}
	settings.Networks, err = s.Advertise.networks()
	return err
}

func (s *natsSettings) open(_ context.Context, o opening) (opened, error) {
	if !s.Embedded {
		return s.openServers()
	}
	host, port := "", 0
	if s.Listen != "" {
		h, p, err := net.SplitHostPort(s.Listen)
		if err != nil {
			return opened{}, err
		}
		host = h
		if port, err = strconv.Atoi(p); err != nil {
			return opened{}, err
		}
	}
	settings := nats.Settings{Dir: s.Dir, Host: host, Port: port}
	if err := s.encrypt(&settings); err != nil {
		return opened{}, err
	}
	d, err := nats.Start(settings)
	if err != nil {
		return opened{}, fault.Unavailable.Wrap(err, "The NATS server did not start: %v.", err)
	}
	o.log.Info("NATS answers", "address", d.Address())
	return opened{driver: d, close: func() {
		if err := d.Stop(); err != nil {
			o.log.Warn("NATS's end", "err", err)
		}
	}}, nil
}
