package nats

import (
	"cmp"
	"crypto/tls"
	"net/url"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// encryption is the server's own side of TLS; nil when it has no certificate.
func (s Settings) encryption() (*tls.Config, error) {
	if s.Cert == "" && s.Key == "" {
		return nil, nil //nolint:nilnil // no certificate, no TLS
	}
	pair, err := tls.X509KeyPair([]byte(s.Cert), []byte(s.Key))
	if err != nil {
		return nil, fault.Invalid.Wrap(err, "The NATS server's certificate and key are no pair.")
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}, nil
}

// mode is what a server that speaks TLS, or does not, is called in the credentials: NATS clients check whom they speak to.
func mode(encrypted bool) string {
	if encrypted {
		return "verify-full"
	}
	return "disable"
}

// usual is how apps reach the server that name no network.
func (d *Driver) usual() providers.Network {
	s := d.settings
	return s.Networks[providers.DefaultNetwork].Or(providers.Network{Address: cmp.Or(s.Advertised, d.address), TLS: mode(s.Cert != ""), CA: s.CA})
}

// usual is how apps reach the servers that name no network.
func (c *Cluster) usual() providers.Network {
	s := c.settings
	return s.Networks[providers.DefaultNetwork].Or(providers.Network{Address: c.address, TLS: mode(s.TLS), CA: string(s.CA)})
}

// credentialsOf are the parts of the credentials that say where the server is and how it is spoken to.
func credentialsOf(n providers.Network, login *url.Userinfo) (map[string]any, error) {
	host, port, err := n.Place()
	if err != nil {
		return nil, err
	}
	address := url.URL{Scheme: "nats", User: login, Host: n.Address}
	if n.Encrypted() {
		address.Scheme = "tls"
	}
	c := map[string]any{"uri": address.String(), "host": host, "port": port, "tls": n.Encrypted()}
	if n.CA != "" {
		c["ca"] = n.CA
	}
	return c, nil
}
