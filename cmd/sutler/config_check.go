package main

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/suggest"
)

var (
	providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)
	currencyCode = regexp.MustCompile(`^[A-Z]{3}$`)
	countryCode  = regexp.MustCompile(`^[A-Z]{2}$`)
	seriesName   = regexp.MustCompile(`^[A-Z0-9]{1,12}$`)
)

// defaults fills what may be left out.
func (c *config) defaults() {
	c.Listen = cmp.Or(c.Listen, "127.0.0.1:8080")
	c.Currency = cmp.Or(c.Currency, "EUR")
	c.Seller.Series = cmp.Or(c.Seller.Series, "INV")
	if c.Node == "" {
		host, _ := os.Hostname()
		c.Node = cmp.Or(host, "node") + "-" + strings.NewReplacer(":", "-", "[", "", "]", "").Replace(c.Listen)
	}
}

// postgres tells whether the store is a PostgreSQL server, which several processes may share.
func (c *config) postgres() bool {
	return strings.HasPrefix(c.Store.Reveal(), "postgres://") || strings.HasPrefix(c.Store.Reveal(), "postgresql://")
}

// check adds every problem to doc. It looks at the file system and the environment, never at the network.
func (c *config) check(doc *conf.Document) {
	c.checkStore(doc)
	c.checkDoor(doc)
	c.checkSeller(doc)
	c.checkIssuers(doc)
	c.checkWatch(doc)
	c.checkBackups(doc)
	if c.Stripe != nil && !c.Stripe.Key.Set() && !doc.Has("stripe.key") {
		doc.Add("stripe", "needs a key; leave stripe out to keep invoices here")
	}
	if doc.Has("grace") && (c.Grace < time.Second || c.Grace > 30*24*time.Hour) {
		doc.Add("grace", "must be from 1s to 720h")
	}
	if len(c.Providers) == 0 {
		doc.Add("providers", "is empty: there would be nothing to sell")
	}
	seen := map[string]int{}
	for i := range c.Providers {
		at := fmt.Sprintf("providers[%d]", i)
		if n := c.Providers[i].Name; n != "" {
			if line, twice := seen[n]; twice {
				doc.Add(at+".name", "the name %q is taken by the provider in line %d", n, line)
			}
			seen[n] = doc.Line(at + ".name")
		}
		c.checkProvider(doc, at, &c.Providers[i])
	}
	c.checkCatalog(doc)
}

func (c *config) checkWatch(doc *conf.Document) {
	if doc.Has("watch.grace") && c.Watch.Grace < time.Minute {
		doc.Add("watch.grace", "must be a minute or more, such as 24h")
	}
}

func (c *config) checkStore(doc *conf.Document) {
	store := c.Store.Reveal()
	path, sqlite := strings.CutPrefix(store, "sqlite://")
	switch {
	case store == "":
		if !doc.Has("store") {
			doc.Add("store", "is missing: sqlite:///var/lib/sutler/sutler.db or postgres://user:password@host/database")
		}
	case sqlite && !filepath.IsAbs(path):
		doc.Add("store", "must name an absolute path, as in sqlite:///var/lib/sutler/sutler.db (three slashes)")
	case !sqlite && !c.postgres():
		doc.Add("store", "must begin with sqlite:// or postgres://")
	case c.postgres():
		if u, err := url.Parse(store); err != nil || u.Host == "" {
			doc.Add("store", "is no address such as postgres://user:password@host:5432/database") // not the error: it holds the password
		}
	}
	if c.MasterKey == "" {
		doc.Add("master_key", "is missing: the file of the key that seals all credentials, for example /var/lib/sutler/master.key")
	}
}

func (c *config) checkDoor(doc *conf.Document) {
	if _, port, err := net.SplitHostPort(c.Listen); err != nil || port == "" {
		doc.Add("listen", "must be host:port, for example 0.0.0.0:8080, not %q", c.Listen)
	}
	c.checkTLS(doc)
	if c.PublicURL == "" {
		doc.Add("public_url", "is missing: the address that people and platforms reach the market by, for example https://market.example.com")
		return
	}
	u, err := url.Parse(c.PublicURL)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
		doc.Add("public_url", "must be an address such as https://market.example.com, not %q", c.PublicURL)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		doc.Add("public_url", "must have nothing after the host")
	case u.Scheme == "https" && c.TLS == nil && len(c.TrustedProxies) == 0:
		doc.Add("public_url", "says https: give tls (cert and key), or trusted_proxies when a proxy in front speaks TLS")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		doc.Warn("public_url", "is http: passwords and credentials would travel in clear")
	}
	c.PublicURL = strings.TrimRight(c.PublicURL, "/")
}

func (c *config) checkTLS(doc *conf.Document) {
	if c.TLS == nil {
		return
	}
	for _, f := range []struct{ key, path string }{{"tls.cert", c.TLS.Cert}, {"tls.key", c.TLS.Key}} {
		if f.path == "" {
			doc.Add(f.key, "is missing")
		} else if info, err := os.Stat(f.path); err != nil {
			doc.Add(f.key, "the file %s cannot be read", f.path)
		} else if f.key == "tls.key" && info.Mode().Perm()&0o007 != 0 {
			doc.Warn(f.key, "the file %s may be read by others (mode %04o); run: chmod o-rwx %s", f.path, info.Mode().Perm(), f.path)
		}
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (c *config) checkSeller(doc *conf.Document) {
	if c.Seller.Name == "" {
		doc.Add("seller.name", "is missing: who issues the invoices")
	}
	if !countryCode.MatchString(c.Seller.Country) {
		doc.Add("seller.country", "must be a country of two capital letters, such as DE")
	}
	if !seriesName.MatchString(c.Seller.Series) {
		doc.Add("seller.series", "must be 1 to 12 capital letters and digits; invoice numbers begin with it")
	}
	if !currencyCode.MatchString(c.Currency) {
		doc.Add("currency", "must be a currency of three capital letters, such as EUR")
	}
	for i, t := range c.Seller.Tax {
		at := fmt.Sprintf("seller.tax[%d]", i)
		if t.Name == "" {
			doc.Add(at+".name", "is missing: what the invoice calls the tax, for example VAT")
		}
		if t.Rate.Sign() < 0 || t.Rate.Rat().Num().Cmp(t.Rate.Rat().Denom()) >= 0 {
			doc.Add(at+".rate", `must be at least 0 and below 1: 19 %% is "0.19"`)
		}
	}
}

func (c *config) checkIssuers(doc *conf.Document) {
	for i, s := range c.Identity.Issuers {
		at := fmt.Sprintf("identity.issuers[%d]", i)
		u, err := url.Parse(s.URL)
		if err != nil || u.Host == "" || (u.Scheme != "https" && !loopback(u.Hostname())) {
			doc.Add(at+".url", "must be an https address, such as https://id.example.com")
		}
		for key, value := range map[string]string{"name": s.Name, "client_id": s.ClientID} {
			if value == "" {
				doc.Add(at+"."+key, "is missing")
			}
		}
	}
}

func (c *config) checkProvider(doc *conf.Document, at string, p *providerConfig) {
	if !providerName.MatchString(p.Name) {
		doc.Add(at+".name", "must be a name of a-z, 0-9 and dashes, at most 63 long")
	}
	if p.Region == "" {
		doc.Add(at+".region", "is missing: where the backends stand, for example eu-central")
	}
	known := drivers()
	fresh, ok := known[p.Driver]
	if !ok {
		names := slices.Sorted(maps.Keys(known))
		doc.Add(at+".driver", "there is no driver %q.%s Drivers are %s.", p.Driver, suggest.DidYouMean(p.Driver, names), strings.Join(names, ", "))
		return
	}
	if p.settings == nil {
		p.settings = fresh()
		p.Settings.Into(doc, p.settings)
	}
	p.settings.check(doc, at+".settings", c)
	c.checkNode(doc, at+".node", p)
}
