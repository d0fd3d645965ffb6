package s3

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/signer"
)

// Trespass tries the bucket of theirs in every way with the key of mine, to let others into one's own bucket, to outlive a deprovision, and the
// server's administration. It names the first way in, "" when there is none. What it made where a way was open it takes back.
func Trespass(ctx context.Context, mine, theirs map[string]any) (way string, err error) {
	a, err := Login(ctx, mine)
	if err != nil {
		return "", err
	}
	if err := a.Put(ctx, "own", "x"); err != nil {
		return "", err
	}
	i := intruder{App: a, core: minio.Core{Client: a.Client}, mine: mine, theirs: theirs, other: &App{a.Client, fmt.Sprint(theirs["bucket"])}}
	for _, try := range append(append(i.inTheirs(ctx), i.inOwn(ctx)...), i.atTheServer(ctx)...) {
		if try.do() != nil {
			continue
		}
		if try.undo != nil {
			_ = try.undo() // it is told of as a way in, whatever becomes of it
		}
		return try.way, nil
	}
	if buckets, err := a.ListBuckets(ctx); err == nil && len(buckets) > 0 {
		return "the list of buckets", nil
	}
	return "", nil
}

// attempt is something that must be refused, and what takes it back where it was not.
type attempt struct {
	way      string
	do, undo func() error
}

// intruder is a tenant who tries what is another's.
type intruder struct {
	*App
	core         minio.Core
	mine, theirs map[string]any
	other        *App // the same key, at the other's bucket
}

func (i intruder) inTheirs(ctx context.Context) []attempt {
	own, other := i.Bucket, i.other.Bucket
	return []attempt{
		{way: "their keys", do: func() error { _, err := i.other.Keys(ctx); return err }},
		{way: "reading", do: func() error { _, err := i.StatObject(ctx, other, "secret", minio.StatObjectOptions{}); return err }},
		{way: "writing", do: func() error { return i.other.Put(ctx, "planted", "x") }},
		{way: "their uploads", do: func() error { _, err := i.core.ListMultipartUploads(ctx, other, "", "", "", "", 10); return err }},
		{way: "an upload", do: func() error {
			_, err := i.core.NewMultipartUpload(ctx, other, "p", minio.PutObjectOptions{})
			return err
		}},
		{way: "copying out", do: func() error { return i.copy(ctx, own, "stolen", other, "secret") }},
		{way: "copying in", do: func() error { return i.copy(ctx, other, "planted", own, "own") }},
		{way: "that their bucket exists", do: func() error { ok, err := i.BucketExists(ctx, other); return seen(ok, err) }},
		{way: "their policy", do: func() error { _, err := i.GetBucketPolicy(ctx, other); return err }},
		{way: "their tags", do: func() error { _, err := i.GetBucketTagging(ctx, other); return err }},
		{way: "reading without a key", do: func() error { return i.raw(ctx, nil, http.MethodGet, "/"+other+"/secret", "", "") }},
		{way: "removing", do: func() error { return i.RemoveObject(ctx, other, "secret", minio.RemoveObjectOptions{}) }},
	}
}

func (i intruder) copy(ctx context.Context, to, name, from, object string) error {
	_, err := i.CopyObject(ctx, minio.CopyDestOptions{Bucket: to, Object: name}, minio.CopySrcOptions{Bucket: from, Object: object})
	return err
}

// inOwn are what the owner of a bucket may do and its tenant may not.
func (i intruder) inOwn(ctx context.Context) []attempt {
	own := i.Bucket
	hold := func(s minio.LegalHoldStatus) func() error {
		return func() error {
			return i.PutObjectLegalHold(ctx, own, "own", minio.PutObjectLegalHoldOptions{Status: &s})
		}
	}
	return []attempt{
		{way: "opening one's bucket to everybody", do: func() error { return i.SetBucketPolicy(ctx, own, public(own)) }},
		{way: "one's bucket's policy", do: func() error { _, err := i.GetBucketPolicy(ctx, own); return err }},
		{way: "dropping one's bucket's policy", do: func() error { return i.SetBucketPolicy(ctx, own, "") }},
		{way: "versions", do: func() error { return i.EnableVersioning(ctx, own) }, undo: func() error { return i.SuspendVersioning(ctx, own) }},
		{way: "a lock that outlives the bucket", do: func() error {
			mode, days, unit := minio.Compliance, uint(1), minio.Days
			return i.SetObjectLockConfig(ctx, own, &mode, &days, &unit)
		}, undo: func() error { return i.SetObjectLockConfig(ctx, own, nil, nil, nil) }},
		{way: "a legal hold", do: hold(minio.LegalHoldEnabled), undo: hold(minio.LegalHoldDisabled)},
		{way: "a bucket's ACL", do: func() error {
			return i.raw(ctx, i.mine, http.MethodPut, "/"+own+"?acl", "x-amz-acl", "public-read-write")
		}},
		{way: "an object's ACL", do: func() error {
			return i.raw(ctx, i.mine, http.MethodPut, "/"+own+"/own?acl", "x-amz-acl", "public-read")
		}},
		{way: "the ownership of objects", do: func() error { return i.raw(ctx, i.mine, http.MethodPut, "/"+own+"?ownershipControls", "", "") }},
		{way: "removing one's bucket", do: func() error { return i.RemoveBucket(ctx, own) }},
	}
}

// atTheServer are the ways of the server's administration.
func (i intruder) atTheServer(ctx context.Context) []attempt {
	more := "more-" + i.Bucket
	admin := func(path string) func() error {
		return func() error { return i.raw(ctx, i.mine, http.MethodPatch, path, "", "") }
	}
	return []attempt{
		{way: "one more bucket", do: func() error { return i.MakeBucket(ctx, more, minio.MakeBucketOptions{}) }, undo: func() error { return i.RemoveBucket(ctx, more) }},
		{way: "the list of keys", do: admin("/list-users")},
		{way: "the administrator's list of buckets", do: admin("/list-buckets")},
		{way: "owning their bucket", do: admin("/change-bucket-owner?bucket=" + i.other.Bucket + "&owner=" + fmt.Sprint(i.mine["username"]))},
		{way: "deleting their key", do: admin("/delete-user?access=" + fmt.Sprint(i.theirs["username"]))},
	}
}

// seen makes "it is there" a way in, and "it is not" or a refusal none.
func seen(there bool, err error) error {
	if err == nil && !there {
		return errors.New("hidden")
	}
	return err
}

func public(bucket string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + bucket + `/*"}]}`
}

// raw makes a request with a tenant's key that the client has no word for; without credentials it is not signed.
func (i intruder) raw(ctx context.Context, signed map[string]any, method, path, header, value string) error {
	r, err := http.NewRequestWithContext(ctx, method, fmt.Sprint(i.mine["endpoint"], path), http.NoBody)
	if err != nil {
		return err
	}
	if header != "" {
		r.Header.Set(header, value)
	}
	if signed != nil {
		r.Header.Set("X-Amz-Content-Sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
		r = signer.SignV4(*r, fmt.Sprint(signed["username"]), fmt.Sprint(signed["password"]), "", "us-east-1")
	}
	t, err := transport(i.mine)
	if err != nil {
		return err
	}
	defer t.CloseIdleConnections()
	answer, err := t.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // nothing in it is read
	if answer.StatusCode >= http.StatusBadRequest {
		return errors.New(answer.Status)
	}
	return nil
}

// Cling leaves what makes a bucket hard to remove: odd keys, an unfinished upload, an object in many parts.
func Cling(ctx context.Context, a *App) error {
	for _, key := range []string{"a/b/c", "größe 数据 🐘", `quo'te"s\`, "a/b", strings.Repeat("x", 200)} {
		if err := a.Put(ctx, key, "x"); err != nil {
			if key == "a/b" { // a file system under the server has no place for it beside a/b/c
				continue
			}
			return fmt.Errorf("%q: %w", key, err)
		}
	}
	core := minio.Core{Client: a.Client}
	id, err := core.NewMultipartUpload(ctx, a.Bucket, "unfinished", minio.PutObjectOptions{})
	if err != nil {
		return err
	}
	_, err = core.PutObjectPart(ctx, a.Bucket, "unfinished", id, 1, strings.NewReader("part"), 4, minio.PutObjectPartOptions{})
	return err
}
