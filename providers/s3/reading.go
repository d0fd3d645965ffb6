package s3

import (
	"context"
	"slices"
	"strings"

	"github.com/minio/minio-go/v7"

	"github.com/sutlerhq/sutler/catalog"
	"github.com/sutlerhq/sutler/catalog/money"
	"github.com/sutlerhq/sutler/providers"
	"github.com/sutlerhq/sutler/providers/latency"
)

// held is what a bucket holds.
type held struct{ bytes, objects int64 }

// held adds up all objects, with every version of them, and the parts of unfinished uploads. S3 keeps no sum: it is a walk over the list.
func (s session) held(ctx context.Context, bucket string) (held, error) {
	versions, err := s.versioned(ctx, bucket)
	if err != nil {
		return held{}, err
	}
	var h held
	for o := range s.ListObjects(ctx, bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: versions}) {
		if o.Err != nil {
			return held{}, o.Err
		}
		h.bytes += o.Size
		h.objects++
	}
	for u := range s.ListIncompleteUploads(ctx, bucket, "", true) {
		if u.Err != nil {
			return held{}, u.Err
		}
		size, err := s.unfinished(ctx, bucket, u)
		if err != nil {
			return held{}, err
		}
		h.bytes += size
	}
	return h, nil
}

// unfinished adds up the parts of an upload that was not completed. One that has just been completed or given up has none.
func (s session) unfinished(ctx context.Context, bucket string, u minio.ObjectMultipartInfo) (size int64, err error) {
	for marker := 0; ; {
		page, err := (minio.Core{Client: s.Client}).ListObjectParts(ctx, bucket, u.Key, u.UploadID, marker, 1000)
		if said(err, "NoSuchUpload") {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		for _, part := range page.ObjectParts {
			size += part.Size
		}
		if marker = page.NextPartNumberMarker; !page.IsTruncated {
			return size, nil
		}
	}
}

// Read gives the bytes and the objects that the bucket holds now.
func (d *Driver) Read(ctx context.Context, i providers.Instance) ([]providers.Reading, error) {
	s, err := d.session()
	if err != nil {
		return nil, err
	}
	h, err := s.held(ctx, bucketOf(i.ID))
	if err != nil {
		return nil, classed(err)
	}
	return []providers.Reading{
		{Metric: "storage_bytes", Value: money.FromInt(h.bytes), Type: "gauge"},
		{Metric: "objects", Value: money.FromInt(h.objects), Type: "gauge"},
	}, nil
}

// Watch takes the right to write away from an instance that has passed its plan, and gives it back when it is within it again. Reading and
// deleting stay allowed all the time.
func (d *Driver) Watch(ctx context.Context, i providers.Instance) ([]providers.Excess, error) {
	s, err := d.session()
	if err != nil {
		return nil, err
	}
	h, err := s.held(ctx, bucketOf(i.ID)) // outside of the turn: it may take long
	if err != nil {
		return nil, classed(err)
	}
	over := h.past(i.Plan.Limits)
	want := open
	if len(over) > 0 {
		want = frozen
	}
	err = d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		text, now, err := s.policy(ctx, bucketOf(i.ID))
		old := text != "" && !strings.Contains(text, hidden) // written before that folder was denied
		if err != nil || now == shut || now == want && !old {
			return err
		}
		return s.admit(ctx, i.ID, want, "")
	})
	if err != nil {
		return nil, err
	}
	return over, nil
}

// past names the limits that are passed. They are held from now on.
func (h held) past(l catalog.Limits) []providers.Excess {
	var out []providers.Excess
	for _, one := range []providers.Excess{{Limit: limitStorage, Used: h.bytes}, {Limit: limitObjects, Used: h.objects}} {
		allowed, ok := l[one.Limit]
		if ok && one.Used > allowed {
			one.Allowed, one.Held = allowed, true
			out = append(out, one)
		}
	}
	return out
}

// Inspect tells whether the bucket is there, and which keys of it are. S3 has no sessions: each request stands for itself. A key that belongs to
// none of the bindings that are told is shown under its own name.
func (d *Driver) Inspect(ctx context.Context, i providers.Instance) (providers.Inspection, error) {
	s, err := d.session()
	if err != nil {
		return providers.Inspection{}, err
	}
	in := providers.Inspection{Sessions: map[string]int{}}
	if in.Exists, err = s.BucketExists(ctx, bucketOf(i.ID)); err != nil {
		return in, classed(err)
	}
	keys, err := s.keys.list(ctx, keysOf(i.ID))
	if err != nil {
		return providers.Inspection{}, classed(err)
	}
	for _, key := range keys {
		n := slices.IndexFunc(i.Bindings, func(id string) bool { return keyOf(i.ID, id) == key })
		if n >= 0 {
			key = i.Bindings[n]
		}
		in.Sessions[key] = 0
	}
	return in, nil
}

// Count counts the objects and their bytes.
func (d *Driver) Count(ctx context.Context, i providers.Instance) (map[string]int64, error) {
	s, err := d.session()
	if err != nil {
		return nil, err
	}
	h, err := s.held(ctx, bucketOf(i.ID))
	if err != nil {
		return nil, classed(err)
	}
	return map[string]int64{"objects": h.objects, "bytes": h.bytes}, nil
}

// Probe asks for a bucket that is nobody's, which only the administrator is told.
func (d *Driver) Probe(ctx context.Context) error {
	s, err := d.session()
	if err != nil {
		return err
	}
	if _, err = s.BucketExists(ctx, providers.Name("b", "")); err != nil {
		return classed(err)
	}
	_, err = s.keys.list(ctx, "none")
	return classed(err)
}

// Target is the address that apps are given. Where it speaks TLS the connection alone is measured.
func (d *Driver) Target(context.Context, providers.Instance) (latency.Target, error) {
	s, err := d.session()
	if err != nil {
		return latency.Target{}, err
	}
	u, place, err := placeOf(d.usual(s.server))
	if err != nil {
		return latency.Target{}, err
	}
	t := latency.Target{Address: place.Address, Protocol: "http"}
	if u.Scheme == "https" {
		t.Protocol = "tcp"
	}
	return t, nil
}
