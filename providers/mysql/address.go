package mysql

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	driver "github.com/go-sql-driver/mysql"

	"github.com/sutlerhq/sutler/internal/fault"
)

// parse reads the administrator's address.
func parse(dsn string) (*server, error) {
	u, err := url.Parse(dsn)
	if err != nil || (u.Scheme != "mysql" && u.Scheme != "mariadb") || u.Hostname() == "" || u.User.Username() == "" {
		return nil, fault.ProviderFailed.Errorf("The administrator's address of the MariaDB server is malformed.").
			WithHint("It looks like mysql://administrator:password@host:3306/.") // not the error: it may hold the password
	}
	s := &server{dsn: dsn, address: net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), "3306")), user: u.User.Username()}
	s.pass, _ = u.User.Password()
	s.mode, s.ca = cmp.Or(u.Query().Get("tls"), "prefer"), u.Query().Get("ca")
	authority, err := s.authority()
	if err == nil {
		s.tls, err = transport(s.mode, u.Hostname(), authority)
	}
	if err != nil {
		return nil, fault.ProviderFailed.Wrap(err, "The administrator's address of the MariaDB server asks for TLS that cannot be set up: %v.", err)
	}
	return s, nil
}

func (s *server) authority() ([]byte, error) {
	if s.ca == "" {
		return nil, nil
	}
	return os.ReadFile(s.ca)
}

// transport gives what a mode says, to the host that the authority (PEM; empty: this machine's own) vouches for; nil for none.
func transport(mode, host string, authority []byte) (*tls.Config, error) {
	var roots *x509.CertPool
	if len(authority) > 0 {
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(authority) {
			return nil, errors.New("the authority is no certificate in PEM form")
		}
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: roots}
	switch mode {
	case "disable":
		return nil, nil
	case "verify-full":
		return c, nil
	case "verify-ca":
		c.VerifyConnection = func(state tls.ConnectionState) error { return chained(state, roots) }
	case "prefer", "require":
	default:
		return nil, fmt.Errorf("there is no mode %q", mode)
	}
	c.InsecureSkipVerify = true // by the mode's meaning; verify-ca looks at the chain itself
	return c, nil
}

// chained checks the certificate's authority and not its name.
func chained(state tls.ConnectionState, roots *x509.CertPool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server shows no certificate")
	}
	others := x509.NewCertPool()
	for _, c := range state.PeerCertificates[1:] {
		others.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: others})
	return err
}

// config is how a user connects by the administrator's way. Nothing is written to a log of the library's own.
func (s *server) config(user, password, database string) *driver.Config {
	c := driver.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = user, password, "tcp", s.address, database
	c.TLS, c.AllowFallbackToPlaintext = s.tls, s.mode == "prefer"
	c.Timeout, c.Logger = 5*time.Second, &driver.NopLogger{}
	c.MaxAllowedPacket = 0 // what the server says
	return c
}
