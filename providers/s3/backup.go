package s3

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/providers"
)

// about is the extended header that a tar entry carries its object's key and metadata in. An entry's own name is a number: not every key is
// a file name.
const about = "SUTLER.object"

// object is what is kept of an object beside its bytes.
type object struct {
	Key         string            `json:"key"`
	Type        string            `json:"content_type,omitempty"`
	Cache       string            `json:"cache_control,omitempty"`
	Disposition string            `json:"content_disposition,omitempty"`
	Encoding    string            `json:"content_encoding,omitempty"`
	Language    string            `json:"content_language,omitempty"`
	Metadata    map[string]string `json:"metadata,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// Backup writes a tar with every object in its newest version and its metadata. S3 has no moment that holds for all objects: each one is
// whole by itself, and one that goes meanwhile is left out.
func (d *Driver) Backup(ctx context.Context, i providers.Instance, to io.Writer) error {
	s, err := d.session()
	if err != nil {
		return err
	}
	out, n := tar.NewWriter(to), 0
	for o := range s.ListObjects(ctx, bucketOf(i.ID), minio.ListObjectsOptions{Recursive: true}) {
		if o.Err != nil {
			return classed(o.Err)
		}
		n++
		if err := s.save(ctx, out, bucketOf(i.ID), o.Key, n); err != nil {
			return classed(err)
		}
	}
	return out.Close()
}

func (s session) save(ctx context.Context, out *tar.Writer, bucket, key string, n int) error {
	body, err := s.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }() // it was only read
	info, err := body.Stat()
	if said(err, "NoSuchKey") {
		return nil
	}
	if err != nil {
		return err
	}
	kept := object{
		Key: key, Type: info.ContentType, Cache: info.Metadata.Get("Cache-Control"), Disposition: info.Metadata.Get("Content-Disposition"),
		Encoding: info.Metadata.Get("Content-Encoding"), Language: info.Metadata.Get("Content-Language"), Metadata: info.UserMetadata,
	}
	if info.UserTagCount > 0 {
		list, err := s.GetObjectTagging(ctx, bucket, key, minio.GetObjectTaggingOptions{})
		if err != nil {
			return err
		}
		kept.Tags = list.ToMap()
	}
	text, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	head := &tar.Header{
		Typeflag: tar.TypeReg, Name: fmt.Sprintf("objects/%09d", n), Mode: 0o600, Size: info.Size, ModTime: info.LastModified, Format: tar.FormatPAX,
		PAXRecords: map[string]string{about: string(text)},
	}
	if err := out.WriteHeader(head); err != nil {
		return err
	}
	_, err = io.CopyN(out, body, info.Size)
	return err
}

// Restore puts every object of such a tar into the bucket.
func (d *Driver) Restore(ctx context.Context, i providers.Instance, from io.Reader) error {
	s, err := d.session()
	if err != nil {
		return err
	}
	zeros := &trailing{r: from}
	in := tar.NewReader(zeros)
	for {
		zeros.n = 0
		head, err := in.Next()
		if errors.Is(err, io.EOF) && zeros.n < tarEnd {
			err = errCut
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault.Invalid.Wrap(err, "The backup is damaged or cut off, or is no tar.")
		}
		var o object
		if err := json.Unmarshal([]byte(head.PAXRecords[about]), &o); err != nil || o.Key == "" {
			return fault.Invalid.Errorf("The entry %q of the backup says nothing of an object.", head.Name)
		}
		_, err = s.PutObject(ctx, bucketOf(i.ID), o.Key, in, head.Size, minio.PutObjectOptions{
			ContentType: o.Type, CacheControl: o.Cache, ContentDisposition: o.Disposition, ContentEncoding: o.Encoding, ContentLanguage: o.Language,
			UserMetadata: o.Metadata, UserTags: o.Tags, DisableMultipart: head.Size < 64<<20,
		})
		if err != nil {
			return classed(err)
		}
	}
}

// tarEnd is how many zeros end a tar. Package tar takes an end without them for one as well, so a tar that was cut off between two entries.
const tarEnd = 1024

var errCut = errors.New("the tar's own end is missing")

// trailing counts the zeros that the last of what was read ends with.
type trailing struct {
	r io.Reader
	n int
}

func (t *trailing) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	rest := len(bytes.TrimRight(p[:n], "\x00"))
	if rest > 0 {
		t.n = 0
	}
	t.n += n - rest
	return n, err
}
