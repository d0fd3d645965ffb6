package s3

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/sutlerhq/sutler/providers"
)

// App is an app with its key: what conformance is tested with. S3 knows no connection: each request stands for itself.
type App struct {
	*minio.Client
	Bucket string
}

// Client is an S3 client with the key in a binding's credentials, which tries nothing a second time.
func Client(c map[string]any) (*minio.Client, error) {
	text := func(part string) string { return fmt.Sprint(c[part]) }
	u, err := url.Parse(text("endpoint"))
	if err != nil {
		return nil, err
	}
	region, _ := c["region"].(string)
	options := &minio.Options{
		Creds:  credentials.NewStaticV4(text("access_key_id"), text("secret_access_key"), ""),
		Secure: u.Scheme == "https", Region: cmp.Or(region, "us-east-1"), BucketLookup: minio.BucketLookupPath, MaxRetries: 1,
	}
	options.Transport, err = transport(c)
	if err != nil {
		return nil, err
	}
	return minio.New(u.Host, options)
}

// transport believes the authority that the credentials name.
func transport(c map[string]any) (*http.Transport, error) {
	roots, err := providers.Authority(c)
	if err != nil {
		return nil, err
	}
	t, err := minio.DefaultTransport(true)
	if err != nil {
		return nil, err
	}
	t.TLSClientConfig.RootCAs = roots
	return t, nil
}

// Login makes a first request with the credentials of a binding.
func Login(ctx context.Context, c map[string]any) (*App, error) {
	m, err := Client(c)
	if err != nil {
		return nil, err
	}
	a := &App{m, fmt.Sprint(c["bucket"])}
	if _, err := a.Keys(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// Put keeps a value under a key.
func (a *App) Put(ctx context.Context, key, value string) error {
	_, err := a.PutObject(ctx, a.Bucket, key, strings.NewReader(value), int64(len(value)), minio.PutObjectOptions{})
	return err
}

// Get gives the value under a key, "" when there is none.
func (a *App) Get(ctx context.Context, key string) (string, error) {
	o, err := a.GetObject(ctx, a.Bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return "", err
	}
	defer func() { _ = o.Close() }() // it was read to its end
	text, err := io.ReadAll(o)
	if minio.ToErrorResponse(err).Code == "NoSuchKey" {
		return "", nil
	}
	return string(text), err
}

// Keys lists the keys that can be seen.
func (a *App) Keys(ctx context.Context) (list []string, err error) {
	for o := range a.ListObjects(ctx, a.Bucket, minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return nil, o.Err
		}
		list = append(list, o.Key)
	}
	return list, nil
}

// Close ends the connection.
func (a *App) Close() {}
