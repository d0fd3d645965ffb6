package s3_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/sutlerhq/sutler/providers/s3"
)

// sent makes a request to an address as it is, and gives the status.
func sent(t testing.TB, method, address, body string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode
}

// formed uploads an object as a browser's form does.
func formed(ctx context.Context, a *s3.App, key, body string) error {
	p := minio.NewPostPolicy()
	if err := errors.Join(p.SetBucket(a.Bucket), p.SetKey(key), p.SetExpires(time.Now().Add(time.Hour))); err != nil {
		return err
	}
	u, fields, err := a.PresignedPostPolicy(ctx, p)
	if err != nil {
		return err
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	for name, value := range fields {
		if err := w.WriteField(name, value); err != nil {
			return err
		}
	}
	file, err := w.CreateFormFile("file", "x")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(file, body); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), &form)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 400 {
		return errors.New(answer.Status)
	}
	return nil
}

// uploaded writes an object in one part.
func uploaded(ctx context.Context, a *s3.App, key, body string) error {
	core := minio.Core{Client: a.Client}
	id, err := core.NewMultipartUpload(ctx, a.Bucket, key, minio.PutObjectOptions{})
	if err != nil {
		return err
	}
	part, err := core.PutObjectPart(ctx, a.Bucket, key, id, 1, strings.NewReader(body), int64(len(body)), minio.PutObjectPartOptions{})
	if err != nil {
		return err
	}
	_, err = core.CompleteMultipartUpload(ctx, a.Bucket, key, id, []minio.CompletePart{{PartNumber: 1, ETag: part.ETag}}, minio.PutObjectOptions{})
	return err
}

// stashed lists the files in the server's folder, below where its lists do not look, that hold a text.
func stashed(dir, text string) (list []string, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || !strings.Contains(path, "/.sgwtmp/") {
			return err
		}
		held, err := os.ReadFile(path)
		if strings.Contains(string(held), text) {
			list = append(list, path)
		}
		return err
	})
	return list, err
}

// What a server's lists leave out is neither counted nor watched nor in a backup: an app must not get there by any way of writing or of naming.
func TestNothingIsKeptWhereListsDoNotLook(t *testing.T) {
	s := server(t)
	d := driver(s)
	i := made(t, d, "ins_hidden")
	_, a := bound(t, d, i, "bnd_hidden")
	const text = "kept for nothing"
	if err := a.Put(t.Context(), "own", text); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{
		".sgwtmp/x", ".sgwtmp/multipart/x", ".sgwtmp/a/b/c", "/.sgwtmp/x", "./.sgwtmp/x", "a/../.sgwtmp/x", "a/./../.sgwtmp/y", ".sgwtmp//x", ".//.sgwtmp/x", "%2E%73gwtmp/x", ".sgwtmp%2Fx",
	} {
		u, err := a.PresignedPutObject(t.Context(), a.Bucket, "name", time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		_ = sent(t, http.MethodPut, strings.Replace(u.String(), "/name?", "/"+key+"?", 1), text) // whether it says so or not, nothing may come of it
		ways := map[string]error{
			"put":    a.Put(t.Context(), key, text),
			"form":   formed(t.Context(), a, key, text),
			"upload": uploaded(t.Context(), a, key, text),
		}
		_, ways["copy"] = a.CopyObject(t.Context(), minio.CopyDestOptions{Bucket: a.Bucket, Object: key}, minio.CopySrcOptions{Bucket: a.Bucket, Object: "own"})
		for way, err := range ways {
			if err == nil && strings.HasPrefix(key, ".sgwtmp/") {
				t.Errorf("%s of %q was let through", way, key)
			}
		}
	}
	for _, part := range []string{"objects", "sidecar"} {
		if list, err := stashed(filepath.Join(s.Dir, part), text); err != nil || len(list) > 0 {
			t.Errorf("stored where nobody counts it: %v %v", list, err)
		}
	}
	if err := a.Put(t.Context(), ".sgwtmpx", "an honest name"); err != nil {
		t.Error(err)
	}
}

// A bucket whose policy is from before that folder was denied is put right by the next look.
func TestWatchingPutsAnOldPolicyRight(t *testing.T) {
	s := server(t)
	d := driver(s)
	i := made(t, d, "ins_old_policy")
	_, a := bound(t, d, i, "bnd_old_policy")
	root, err := client("http://"+s.Address, s.User, s.Password)
	if err != nil {
		t.Fatal(err)
	}
	text, err := root.GetBucketPolicy(t.Context(), a.Bucket)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(text, `{"Effect":"Deny"`)
	_, rest, _ = strings.Cut(rest, "},")
	if err := root.SetBucketPolicy(t.Context(), a.Bucket, head+rest); err != nil {
		t.Fatal(err)
	}
	if err := a.Put(t.Context(), ".sgwtmp/x", "x"); err != nil {
		t.Fatalf("the old policy is not what it was: %v", err)
	}
	if _, err := d.Watch(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	if err := a.Put(t.Context(), ".sgwtmp/x", "x"); err == nil {
		t.Error("it may still be written")
	}
	if got, err := a.Get(t.Context(), ".sgwtmp/x"); err == nil && got != "" {
		t.Error("it may still be read")
	}
}

// What was handed out while a key worked, addresses to read and to write and uploads under way, is worth nothing without the key.
func TestWhatWasBegunEndsWithTheKey(t *testing.T) {
	d := driver(server(t))
	i := made(t, d, "ins_begun")
	b, a := bound(t, d, i, "bnd_begun")
	if err := a.Put(t.Context(), "own", "x"); err != nil {
		t.Fatal(err)
	}
	core := minio.Core{Client: a.Client}
	id, err := core.NewMultipartUpload(t.Context(), a.Bucket, "long", minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	part, err := core.PutObjectPart(t.Context(), a.Bucket, "long", id, 1, strings.NewReader("one"), 3, minio.PutObjectPartOptions{})
	if err != nil {
		t.Fatal(err)
	}
	address := map[string]*url.URL{}
	for method, query := range map[string]url.Values{http.MethodGet: nil, http.MethodPut: nil, http.MethodDelete: nil, "part": {"uploadId": {id}, "partNumber": {"2"}}} {
		key, verb := "own", method
		if method == "part" {
			key, verb = "long", http.MethodPut
		}
		if address[method], err = a.Presign(t.Context(), verb, a.Bucket, key, time.Hour, query); err != nil {
			t.Fatal(err)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, "part"} { // they work while the key does
		verb := strings.Replace(method, "part", http.MethodPut, 1)
		if code := sent(t, verb, address[method].String(), "before"); code != http.StatusOK {
			t.Fatalf("%s: status %d before", method, code)
		}
	}
	if _, err := d.Unbind(t.Context(), i, b); err != nil {
		t.Fatal(err)
	}
	for method, u := range address {
		verb := strings.Replace(method, "part", http.MethodPut, 1)
		if code := sent(t, verb, u.String(), "after"); code < 400 {
			t.Errorf("%s: status %d after Unbind", method, code)
		}
	}
	if err := formed(t.Context(), a, "form", "x"); err == nil {
		t.Error("a form was taken after Unbind")
	}
	if _, err := core.PutObjectPart(t.Context(), a.Bucket, "long", id, 3, strings.NewReader("two"), 3, minio.PutObjectPartOptions{}); err == nil {
		t.Error("a part was taken after Unbind")
	}
	if _, err := core.CompleteMultipartUpload(t.Context(), a.Bucket, "long", id, []minio.CompletePart{{PartNumber: 1, ETag: part.ETag}}, minio.PutObjectOptions{}); err == nil {
		t.Error("the upload was completed after Unbind")
	}
	if _, err := core.ListObjectParts(t.Context(), a.Bucket, "long", id, 0, 10); err == nil {
		t.Error("the parts were shown after Unbind")
	}
	_, later := bound(t, d, i, "bnd_later")
	if got, err := later.Get(t.Context(), "own"); err != nil || got != "before" {
		t.Errorf("%q %v", got, err)
	}
}

// One binding's key neither reaches another instance by parts of an upload, nor by what it was given by mistake.
func TestNoPartComesFromAnothersBucket(t *testing.T) {
	d := driver(server(t))
	one, two := made(t, d, "ins_copier"), made(t, d, "ins_copied")
	_, a := bound(t, d, one, "bnd_copier")
	_, b := bound(t, d, two, "bnd_copied")
	if err := b.Put(t.Context(), "secret", "x"); err != nil {
		t.Fatal(err)
	}
	theirs := minio.Core{Client: b.Client}
	other, err := theirs.NewMultipartUpload(t.Context(), b.Bucket, "long", minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	core := minio.Core{Client: a.Client}
	id, err := core.NewMultipartUpload(t.Context(), a.Bucket, "long", minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := core.CopyObjectPart(t.Context(), b.Bucket, "secret", a.Bucket, "long", id, 1, 0, 1, nil); err == nil {
		t.Error("a part was copied from another's object")
	}
	if _, err := core.PutObjectPart(t.Context(), a.Bucket, "long", other, 1, strings.NewReader("x"), 1, minio.PutObjectPartOptions{}); err == nil {
		t.Error("a part went into another's upload by its number")
	}
	if err := core.AbortMultipartUpload(t.Context(), b.Bucket, "long", other); err == nil {
		t.Error("another's upload was given up")
	}
	for _, key := range []string{"../" + b.Bucket + "/secret", "x/../../" + b.Bucket + "/secret"} {
		if got, err := a.Get(t.Context(), key); err == nil && got != "" {
			t.Errorf("%q is read", key)
		}
	}
}
