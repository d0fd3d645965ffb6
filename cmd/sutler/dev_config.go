package main

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
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
	c.Backups = &backupsConfig{Folder: f.path("backups")}
	c.defaults()
	missing := local.Found("postgresql")
	pg := missing == nil
	noMySQL := local.Found("mysql")
	kept := c.Providers[:0]
	for _, p := range c.Providers {
		switch {
		case p.Driver == "redis" && local.Found("redis") != nil:
			continue
		case p.Driver == "postgres" && !pg, p.Driver == "mysql" && noMySQL != nil, p.Name == "nats-west" && pg, p.Driver == "fake" && !withFake,
			p.Driver == "rabbitmq" && local.Found("rabbitmq") != nil, p.Driver == "s3" && local.Found("s3") != nil:
			continue
		case p.Driver == "postgres":
			p.settings = &devPostgreSQL{dir: f.path("postgresql"), password: s.Server}
		case p.Driver == "mysql":
			p.settings = &devMySQL{dir: f.path("mysql"), password: s.Server}
		case p.Driver == "redis":
			p.settings = &redisSettings{Dir: f.path("redis"), attached: true}
		case p.Driver == "nats":
			p.settings = &natsSettings{Embedded: true, Dir: f.path(p.Name)}
		case p.Driver == "rabbitmq":
			p.settings = &devRabbitMQ{dir: f.path("rabbitmq"), password: s.Server}
		case p.Driver == "s3":
			p.settings = &devS3{dir: f.path("s3"), password: s.Server}
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
	if noMySQL != nil {
		found = append(found, fmt.Sprintf("(no MySQL: %v)", noMySQL))
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

// open starts the server beside the market's own start: its first start takes seconds, and nobody waits for it. When it ends by
// itself it is started again. It outlives ctx: close ends it, after the work that needs it.
func (s *devPostgreSQL) open(ctx context.Context, o opening) (opened, error) {
	server := local.Background(context.WithoutCancel(ctx), "PostgreSQL", o.log, func(ctx context.Context) (*local.Server, error) {
		return local.PostgreSQL(ctx, s.dir, s.password, false)
	})
	driver := postgres.New(postgres.Settings{SSLMode: "disable", Admin: func() (string, error) {
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
