package main

import (
	"cmp"
	"context"
	"net"
	"strconv"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers/nats"
)

// natsSettings are a NATS server inside this process. It must be asked for by name, for it lives and dies with the process.
type natsSettings struct {
	Embedded  bool              `yaml:"embedded"`
	Dir       string            `yaml:"dir"`       // what it keeps
	Listen    string            `yaml:"listen"`    // host:port; default: a free port of 127.0.0.1, the same after a restart when it is free
	Advertise map[string]string `yaml:"advertise"` // host:port as apps reach it, by network; default: where it listens
}

func (s *natsSettings) check(doc *conf.Document, at string, c *config) {
	switch {
	case !s.Embedded:
		doc.Add(at+".embedded", "must be true: the only NATS server this version sells on is the one inside its own process")
	case c.postgres():
		doc.Add(at+".embedded", "a NATS server inside the process cannot be shared by the processes of a PostgreSQL store; use a SQLite store, or leave NATS out")
	}
	if s.Dir == "" {
		doc.Add(at+".dir", "is missing: the folder that the NATS server keeps its keys and streams in")
	}
	if s.Listen != "" {
		if _, port, err := net.SplitHostPort(s.Listen); err != nil {
			doc.Add(at+".listen", "must be host:port, not %q", s.Listen)
		} else if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
			doc.Add(at+".listen", "the port %q is none", port)
		}
	}
	checkAdvertise(doc, at, s.Advertise)
}

func (*natsSettings) offerings() []catalog.Offering {
	list, _ := new(nats.Driver).Offerings(context.Background()) // it asks no server
	for i := range list {
		list[i].Name = cmp.Or(list[i].Name, "nats")
	}
	return list
}

func (s *natsSettings) open(_ context.Context, o opening) (opened, error) {
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
	d, err := nats.Start(nats.Settings{Dir: s.Dir, Host: host, Port: port, Advertised: s.Advertise[defaultNetwork]})
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
