package main

import (
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/fault"
)

// config is a whole market, as sutler.yaml says it. deploy/sutler.yaml shows every key.
type config struct {
	Store          conf.Secret      `yaml:"store"`           // sqlite:///path or postgres://…
	Listen         string           `yaml:"listen"`          // host:port
	PublicURL      string           `yaml:"public_url"`      // how people and platforms reach us
	TLS            *tlsConfig       `yaml:"tls"`             // when we speak TLS ourselves
	TrustedProxies []netip.Prefix   `yaml:"trusted_proxies"` // when a proxy in front of us does
	MasterKey      string           `yaml:"master_key"`      // file; made at the first start
	Node           string           `yaml:"node"`            // this process among several on one store; default: host name and port
	Seller         sellerConfig     `yaml:"seller"`
	Currency       string           `yaml:"currency"`
	Egress         []netip.Prefix   `yaml:"egress"` // private addresses we may call
	Providers      []providerConfig `yaml:"providers"`
	Grace          time.Duration    `yaml:"grace"` // how long the old credentials of a rotated binding stay valid; an hour
	Stripe         *stripeConfig    `yaml:"stripe"`
	Identity       identityConfig   `yaml:"identity"`
	Watch          watchConfig      `yaml:"watch"`
	Backups        *backupsConfig   `yaml:"backups"` // nil: none are kept
}

type tlsConfig struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// watchConfig says what becomes of instances that pass a limit of their plan which the backend itself does not hold.
type watchConfig struct {
	Grace time.Duration `yaml:"grace"` // how long they may stay over it before they are suspended; 24h
}

// sellerConfig is the legal entity that issues invoices.
type sellerConfig struct {
	Name    string      `yaml:"name"`
	Country string      `yaml:"country"` // ISO 3166, two letters
	Series  string      `yaml:"series"`  // first part of the invoice numbers
	Tax     []taxConfig `yaml:"tax"`
}

type taxConfig struct {
	Name string        `yaml:"name"`
	Rate money.Decimal `yaml:"rate"` // "0.19"
}

// providerConfig is one seller of backends. What Settings hold is the driver's matter (drivers.go).
type providerConfig struct {
	Name      string          `yaml:"name"`
	Driver    string          `yaml:"driver"`
	Region    string          `yaml:"region"`
	Node      string          `yaml:"node"` // the process whose machine the backends are on; it alone calls the driver
	Settings  conf.Raw        `yaml:"settings"`
	Offerings []catalog.Terms `yaml:"offerings"`

	settings driverSettings // read from Settings, or set by dev
}

type stripeConfig struct {
	Key conf.Secret `yaml:"key"`
	URL string      `yaml:"url"` // another address than Stripe's, for tests
}

type identityConfig struct {
	Issuers []issuerConfig `yaml:"issuers"` // besides our own
}

// issuerConfig is an OpenID provider that people may come in through.
type issuerConfig struct {
	Name         string      `yaml:"name"`
	URL          string      `yaml:"url"`
	ClientID     string      `yaml:"client_id"`
	ClientSecret conf.Secret `yaml:"client_secret"`
}

// loadConfig reads and checks the file; the fault is Invalid and lists every problem with its line. warnings are for the log.
func loadConfig(path string) (c config, warnings conf.Problems, err error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return c, nil, fault.NotFound.Wrap(err, "The configuration %s cannot be read: %s.", path, because(err)).
			WithHint("Start from deploy/sutler.yaml, and give its place with --config.")
	}
	doc := conf.Read(data, &c)
	if !doc.Unread { // else everything would be missing
		c.defaults()
		c.check(doc)
	}
	if len(doc.Problems) == 0 {
		return c, doc.Warnings, nil
	}
	f := fault.Invalid.Errorf("%s has %s.", path, counted(len(doc.Problems), "problem"))
	for _, p := range doc.Problems {
		at, what := p.Path, p.Text
		if p.Line > 0 {
			at = fmt.Sprintf("line %d", p.Line)
			if p.Path != "" {
				what = p.Path + ": " + p.Text
			}
		}
		f = f.WithFields(fault.Field{Path: at, Reason: what})
	}
	return c, doc.Warnings, f
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
