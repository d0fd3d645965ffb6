package main

import (
	"math"
	"net"
	"path/filepath"
	"time"

	"github.com/sutlerhq/sutler/internal/conf"
	"github.com/sutlerhq/sutler/internal/outbound"
	"github.com/sutlerhq/sutler/internal/vault"
)

// backupsConfig says where backups are kept: in a folder or in a bucket.
type backupsConfig struct {
	Folder string        `yaml:"folder"` // every process of the market must reach the same one
	Bucket *bucketConfig `yaml:"bucket"`
}

type bucketConfig struct {
	Endpoint  string      `yaml:"endpoint"` // host:port
	Name      string      `yaml:"name"`
	Region    string      `yaml:"region"`
	Prefix    string      `yaml:"prefix"`
	Plain     bool        `yaml:"plain"` // no TLS
	AccessKey string      `yaml:"access_key"`
	SecretKey conf.Secret `yaml:"secret_key"`
}

// longestCopy bounds one answer of the bucket.
const longestCopy = 6 * time.Hour

func (c *config) checkBackups(doc *conf.Document) {
	if c.Backups == nil {
		return
	}
	b := c.Backups.Bucket
	switch {
	case (c.Backups.Folder == "") == (b == nil):
		doc.Add("backups", "needs either a folder or a bucket; leave backups out to keep none")
	case b == nil && !filepath.IsAbs(c.Backups.Folder):
		doc.Add("backups.folder", "must be an absolute path")
	case b != nil:
		if host, port, err := net.SplitHostPort(b.Endpoint); err != nil || host == "" || !isPort(port) {
			doc.Add("backups.bucket.endpoint", "must be host:port, such as s3.example.com:443")
		}
		if b.Name == "" || b.AccessKey == "" || !b.SecretKey.Set() && !doc.Has("backups.bucket.secret_key") {
			doc.Add("backups.bucket", "needs a name, an access_key and a secret_key")
		}
	}
}

// isPort tells whether a text is a port that can be connected to.
func isPort(text string) bool {
	n, ok := portOf(text)
	return ok && n > 0
}

// openVault gives the place that backups are kept in; nil when there is none.
func (c *config) openVault() (vault.Vault, error) {
	switch {
	case c.Backups == nil:
		return nil, nil //nolint:nilnil // no vault is a choice
	case c.Backups.Bucket == nil:
		return vault.Folder(c.Backups.Folder)
	}
	b := c.Backups.Bucket
	return vault.Bucket{
		Endpoint: b.Endpoint, Plain: b.Plain, Name: b.Name, Region: b.Region, Prefix: b.Prefix, AccessKey: b.AccessKey, SecretKey: b.SecretKey.Reveal(),
		Transport: outbound.Client(outbound.Policy{Allow: c.Egress, Timeout: longestCopy, MaxBody: math.MaxInt64}).Transport,
	}.Open()
}
