package main

import (
	"context"
	_ "embed"
	"fmt"
	"log/slog"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
	"github.com/sutlerhq/sutler/providers/local"
	"github.com/sutlerhq/sutler/providers/postgres"
)

//go:embed dev.yaml
var devYAML []byte

// devConfig is the configuration of a market in the folder f, and what there is to say about what it sells.
func devConfig(f *folder, s devSecrets, url string, withFake bool) (c config, found []string, err error) {
	doc := conf.Read(devYAML, &c)
	c.Store = conf.Secret{Secret: seal.Secret("sqlite://" + f.path("sutler.db"))}
	c.PublicURL, c.MasterKey, c.Node = url, f.path("master.key"), "dev"
	c.defaults()
	missing := local.Found("postgresql")
	pg := missing == nil
	kept := c.Providers[:0]
	for _, p := range c.Providers {
		switch {
		case p.Driver == "postgres" && !pg, p.Name == "nats-west" && pg, p.Driver == "fake" && !withFake:
			continue
		case p.Driver == "postgres":
			p.settings = &devPostgreSQL{dir: f.path("postgresql"), password: s.Server}
		case p.Driver == "nats":
			p.settings = &natsSettings{Embedded: true, Dir: f.path(p.Name)}
		case p.Driver == "fake":
			p.settings = &fakeSettings{Dir: f.path("fake")}
		}
		kept = append(kept, p)
	}
	c.Providers = kept
	c.check(doc)
	for _, p := range c.Providers {
		for _, o := range p.settings.(offerer).offerings() {
			found = append(found, fmt.Sprintf("%-12s by %s in %s", terms(p, o), p.Name, p.Region))
		}
	}
	if !pg {
		found = append(found, fmt.Sprintf("(no PostgreSQL, so two NATS providers in two regions stand in; %v)", missing))
	}
	return c, found, doc.Err()
}

// terms is the name that an offering is sold by.
func terms(p providerConfig, o catalog.Offering) string {
	for _, t := range p.Offerings {
		if t.Name != "" {
			return t.Name
		}
	}
	return o.Name
}

// devPostgreSQL is a PostgreSQL server that is started with the market and ends with it.
type devPostgreSQL struct{ dir, password string }

func (*devPostgreSQL) check(*conf.Document, string, *config) {}

func (s *devPostgreSQL) offerings() []catalog.Offering {
	list, _ := postgres.New(postgres.Settings{}).Offerings(context.Background()) // it asks no server
	return list
}

// open starts the server beside the market's own start: its first start takes seconds, and nobody waits for it.
func (s *devPostgreSQL) open(ctx context.Context, o opening) (opened, error) {
	ctx, cancel := context.WithCancel(ctx)
	started := make(chan struct{})
	var server *local.Server
	var failed error
	go func() {
		defer close(started)
		began := time.Now()
		if server, failed = local.PostgreSQL(ctx, s.dir, s.password, false); failed != nil {
			if ctx.Err() != nil {
				return // the market stopped before it was up
			}
			o.log.Error("PostgreSQL did not start", "err", failed)
			return
		}
		o.log.Info("PostgreSQL answers", "address", server.Address, "after", time.Since(began))
		go watchServer(ctx, server, o.log)
	}()
	driver := postgres.New(postgres.Settings{SSLMode: "disable", Admin: func() (string, error) {
		select {
		case <-started:
		default:
			return "", fault.Unavailable.Errorf("PostgreSQL is starting.")
		}
		if failed != nil {
			return "", fault.Unavailable.Wrap(failed, "PostgreSQL did not start: %v", failed)
		}
		return fmt.Sprintf("postgres://%s:%s@%s/postgres?sslmode=disable", server.User, server.Password, server.Address), nil
	}})
	return opened{driver: driver, close: func() {
		cancel()
		<-started
		driver.Close()
		if server != nil {
			if err := server.Stop(); err != nil {
				o.log.Warn("PostgreSQL's end", "err", err)
			}
		}
	}}, nil
}

func watchServer(ctx context.Context, s *local.Server, log *slog.Logger) {
	select {
	case <-s.Dead:
		if ctx.Err() == nil {
			log.Error("PostgreSQL ended by itself; start the market again to have it back", "log", s.Log)
		}
	case <-ctx.Done():
	}
}
