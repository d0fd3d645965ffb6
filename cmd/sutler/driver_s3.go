package main

import (
	"context"
	"net/url"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/providers/s3"
)

// s3Settings are one S3 server (versitygw) that buckets are sold on.
type s3Settings struct {
	Endpoint  string      `yaml:"endpoint"`   // http(s)://host:port as the market reaches it
	Admin     string      `yaml:"admin"`      // the same for its administration, when that has a door of its own
	AccessKey string      `yaml:"access_key"` // the administrator's
	SecretKey conf.Secret `yaml:"secret_key"`
	Region    string      `yaml:"s3_region"` // default: us-east-1
	CA        string      `yaml:"ca"`        // file of the authority that signed the server's certificate, given to apps, too
	Advertise advertise   `yaml:"advertise"` // http(s)://host:port as apps reach it, by network; default: endpoint
}

func (s *s3Settings) check(doc *conf.Document, at string, _ *config) {
	checkEndpoint(doc, at+".endpoint", s.Endpoint)
	if s.Admin != "" {
		checkEndpoint(doc, at+".admin", s.Admin)
	}
	s.Advertise.check(doc, at, advertiseRules{address: checkEndpoint, noTLS: "is said by the address: https:// or http://"})
	checkPEM(doc, at+".ca", s.CA)
	if s.AccessKey == "" {
		doc.Add(at+".access_key", "is missing: the administrator's key")
	}
	if !s.SecretKey.Set() && !doc.Has(at+".secret_key") {
		doc.Add(at+".secret_key", "is missing: the secret of the administrator's key")
	}
}

func checkEndpoint(doc *conf.Document, at, address string) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		doc.Add(at, "must be an address such as https://objects.example.com")
	case u.User != nil || u.RawQuery != "" || u.Path != "" && u.Path != "/":
		doc.Add(at, "must have nothing before or after the host")
	}
}

func (*s3Settings) offerings() []catalog.Offering {
	list, _ := s3.New(s3.Settings{}).Offerings(context.Background()) // it asks no server
	return list
}

func (s *s3Settings) open(_ context.Context, o opening) (opened, error) {
	ca, err := readPEM(s.CA)
	if err != nil {
		return opened{}, err
	}
	through, err := reach(o.egress, ca)
	if err != nil {
		return opened{}, err
	}
	networks, err := s.Advertise.networks()
	if err != nil {
		return opened{}, err
	}
	return opened{driver: s3.New(s3.Settings{Transport: through, CA: ca, Networks: networks, Server: s3.At(s3.Server{
		Endpoint: s.Endpoint, Admin: s.Admin, AccessKey: s.AccessKey, Secret: s.SecretKey.Reveal(), Region: s.Region,
	})})}, nil
}
