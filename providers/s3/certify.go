package s3

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// App is an app with its key: what conformance is tested with. S3 knows no connection: each request stands for itself.
type App struct {
	*minio.Client
	Bucket string
}

// Client is an S3 client with one key, which tries nothing a second time.
func Client(endpoint, key, secret string) (*minio.Client, error) {
	u, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	return minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(key, secret, ""), Secure: u.Scheme == "https", Region: "us-east-1", BucketLookup: minio.BucketLookupPath, MaxRetries: 1,
	})
}

// Login makes a first request with the credentials of a binding.
func Login(ctx context.Context, c map[string]any) (*App, error) {
	text := func(part string) string { return fmt.Sprint(c[part]) }
	m, err := Client(text("endpoint"), text("access_key_id"), text("secret_access_key"))
	if err != nil {
		return nil, err
	}
	a := &App{m, text("bucket")}
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

// Trespass tries the bucket of theirs with the key of mine; nil when it got in. It changes nothing.
func Trespass(ctx context.Context, mine, theirs map[string]any) error {
	a, err := Login(ctx, mine)
	if err != nil {
		return err
	}
	there := &App{a.Client, fmt.Sprint(theirs["bucket"])}
	if _, err := there.Keys(ctx); err == nil {
		return nil
	}
	_, err = there.StatObject(ctx, there.Bucket, "secret", minio.StatObjectOptions{})
	return err
}
