package s3

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// session speaks to the server as the administrator.
type session struct {
	*minio.Client
	keys   keys
	server Server
}

// session opens a way to the server; it makes no request.
func (d *Driver) session() (session, error) {
	server, err := d.settings.Server()
	if err = cmp.Or(d.wrong, err); err != nil {
		return session{}, err
	}
	server.Admin, server.Advertised = cmp.Or(server.Admin, server.Endpoint), cmp.Or(server.Advertised, server.Endpoint)
	server.Region = cmp.Or(server.Region, "us-east-1")
	u, err := url.Parse(server.Endpoint)
	if err != nil || u.Host == "" {
		return session{}, fault.ProviderFailed.Errorf("The S3 server's address is malformed.")
	}
	c, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(server.AccessKey, server.Secret, ""), Secure: u.Scheme == "https", Region: server.Region,
		Transport: d.settings.Transport, BucketLookup: minio.BucketLookupPath, MaxRetries: 1, // whoever calls tries again
	})
	if err != nil {
		return session{}, fault.ProviderFailed.Wrap(err, "The S3 server's address is malformed.")
	}
	return session{Client: c, keys: versity{server, d.settings.Transport}, server: server}, nil
}

// patience is how long the steps of one call may take once they have begun.
const patience = 20 * time.Second

// inTurn runs f when the instance's turn has come. What has begun is finished even when the caller gives up meanwhile: the server would
// finish a request that it has got anyway, and whoever comes next must find its outcome.
func (d *Driver) inTurn(ctx context.Context, instance string, f func(ctx context.Context, s session) error) error {
	done, err := d.turns.Take(ctx, instance)
	if err != nil {
		return err
	}
	defer done()
	if err := ctx.Err(); err != nil {
		return err
	}
	s, err := d.session()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return classed(f(ctx, s))
}

// said tells whether the server gave one of these error codes.
func said(err error, codes ...string) bool {
	var e minio.ErrorResponse
	if !errors.As(err, &e) {
		return false
	}
	for _, c := range codes {
		if e.Code == c {
			return true
		}
	}
	return false
}

func noBucket(err error) bool { return said(err, "NoSuchBucket") }

// classed tells what passes by itself from what does not.
func classed(err error) error {
	var e minio.ErrorResponse
	switch {
	case err == nil:
		return nil
	case noBucket(err):
		return notThere()
	case errors.As(err, &e) && (e.StatusCode >= http.StatusInternalServerError || e.StatusCode == http.StatusTooManyRequests):
		return fault.Unavailable.Wrap(err, "The S3 server cannot do that now; it is tried again.")
	case said(err, "BucketNotEmpty", "OperationAborted"):
		return fault.Busy.Wrap(err, "The bucket is still being written to; it is tried again.")
	case said(err, "InvalidAccessKeyId", "SignatureDoesNotMatch"):
		return fault.ProviderFailed.Wrap(err, "The S3 server does not let the administrator in: the access key or the secret is wrong.").
			WithHint("They are the provider's settings; it is tried again within a minute.")
	}
	return err
}

var errNotThere = errors.New("the bucket is not on the server")

func notThere() error {
	return fault.Refused.Wrap(errNotThere, "The bucket is not on the server.").
		WithHint("It was removed behind the market's back: destroy the instance, or ask the operator to restore it.")
}

func progress(err error, note string) (providers.Progress, error) {
	if err != nil {
		return providers.Progress{}, err
	}
	return providers.Progress{Done: true, Note: note}, nil
}
