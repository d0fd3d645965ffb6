package vault

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// partSize bounds the memory that one stream of unknown length takes; ten thousand parts are the most, so 320 GB.
const partSize = 32 << 20

// Bucket says where an S3 bucket is and who we are there.
type Bucket struct {
	Endpoint  string // host:port
	Plain     bool   // no TLS
	Name      string
	Region    string
	Prefix    string // before every name
	AccessKey string
	SecretKey string
	Transport http.RoundTripper // how it is reached; nil: as usual
}

// bucket keeps an object for each name.
type bucket struct {
	client *minio.Client
	at     Bucket
}

// Open gives the bucket as a vault. It asks nothing yet.
func (b Bucket) Open() (Vault, error) {
	client, err := minio.New(b.Endpoint, &minio.Options{
		Creds: credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""), Secure: !b.Plain, Region: b.Region, Transport: b.Transport, BucketLookup: minio.BucketLookupPath,
	})
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return bucket{client, b}, nil
}

func (b bucket) Write(ctx context.Context, name string, from io.Reader) (int64, error) {
	if err := check(name); err != nil {
		return 0, err
	}
	info, err := b.client.PutObject(ctx, b.at.Name, b.at.Prefix+name, while{ctx, from}, -1, minio.PutObjectOptions{PartSize: partSize, ContentType: "application/octet-stream"})
	if err != nil {
		return 0, fmt.Errorf("vault: %w", err)
	}
	return info.Size, nil
}

func (b bucket) Read(ctx context.Context, name string) (io.ReadCloser, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	object, err := b.client.GetObject(ctx, b.at.Name, b.at.Prefix+name, minio.GetObjectOptions{})
	if err == nil {
		_, err = object.Stat() // asks the server for the first time
	}
	if code := minio.ToErrorResponse(err).Code; strings.HasPrefix(code, "NoSuch") {
		return nil, fmt.Errorf("vault: %s: %w", name, ErrAbsent)
	}
	if err != nil {
		return nil, fmt.Errorf("vault: %w", err)
	}
	return object, nil
}

func (b bucket) Remove(ctx context.Context, name string) error {
	if err := check(name); err != nil {
		return err
	}
	if err := b.client.RemoveObject(ctx, b.at.Name, b.at.Prefix+name, minio.RemoveObjectOptions{}); err != nil {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}
