package s3

import (
	"context"
	"errors"

	"github.com/minio/minio-go/v7"

	"github.com/sutlerhq/sutler/providers"
)

// Provision makes the bucket. The administrator owns it and its policy is empty: nobody is let in before there is a binding. On a bucket that
// is there it changes nothing, so that a call that comes late opens nothing that was closed since.
func (d *Driver) Provision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		err := s.MakeBucket(ctx, bucketOf(i.ID), minio.MakeBucketOptions{Region: s.server.Region})
		if said(err, "BucketAlreadyOwnedByYou") {
			return nil
		}
		return err
	})
	return progress(err, "the bucket is ready")
}

// Deprovision removes the keys, then everything in the bucket, then the bucket. A large bucket takes more than one call.
func (d *Driver) Deprovision(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		bucket := bucketOf(i.ID)
		there, err := s.BucketExists(ctx, bucket)
		if err != nil {
			return err
		}
		if there {
			if err := s.admit(ctx, i.ID, shut, ""); err != nil {
				return err
			}
		}
		all, err := s.keys.list(ctx, keysOf(i.ID))
		if err != nil {
			return err
		}
		for _, key := range all {
			if err := s.keys.remove(ctx, key); err != nil {
				return err
			}
		}
		if !there {
			return nil
		}
		if err := s.empty(ctx, bucket); err != nil {
			return err
		}
		if err := s.RemoveBucket(ctx, bucket); !noBucket(err) {
			return err
		}
		return nil
	})
	return progress(err, "the bucket is gone")
}

// empty removes all objects, with every version of them, and all unfinished uploads.
func (s session) empty(ctx context.Context, bucket string) error {
	for upload := range s.ListIncompleteUploads(ctx, bucket, "", true) {
		if upload.Err != nil {
			return upload.Err
		}
		if err := s.RemoveIncompleteUpload(ctx, bucket, upload.Key); err != nil {
			return err
		}
	}
	versions, err := s.versioned(ctx, bucket)
	if err != nil {
		return err
	}
	var listing error
	doomed := func(yield func(minio.ObjectInfo) bool) {
		for o := range s.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Recursive: true, WithVersions: versions}) {
			if listing = o.Err; listing != nil || !yield(o) {
				return
			}
		}
	}
	gone, err := s.RemoveObjectsWithIter(ctx, bucket, doomed, minio.RemoveObjectsOptions{GovernanceBypass: versions})
	if err != nil {
		return err
	}
	for one := range gone {
		if one.Err != nil && err == nil {
			err = one.Err
		}
	}
	return errors.Join(listing, err)
}

// versioned tells whether the bucket has, or had, versions of objects. A server without them says so.
func (s session) versioned(ctx context.Context, bucket string) (bool, error) {
	v, err := s.GetBucketVersioning(ctx, bucket)
	if said(err, "VersioningNotConfigured", "NotImplemented") {
		return false, nil
	}
	return v.Status != "", err
}

// Update takes a new plan's limits into use; what they mean for the right to write is seen at once.
func (d *Driver) Update(ctx context.Context, _, new providers.Instance) (providers.Progress, error) {
	_, err := d.Watch(ctx, new)
	return progress(err, "the limits are changed")
}

// Suspend denies everything to everybody. The objects and the keys stay.
func (d *Driver) Suspend(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error { return s.admit(ctx, i.ID, shut, "") })
	return progress(err, "nobody is let in")
}

// Resume lets the keys in again.
func (d *Driver) Resume(ctx context.Context, i providers.Instance) (providers.Progress, error) {
	err := d.inTurn(ctx, i.ID, func(ctx context.Context, s session) error {
		_, m, err := s.policy(ctx, bucketOf(i.ID))
		if err != nil || m != shut {
			return err
		}
		return s.admit(ctx, i.ID, open, "")
	})
	return progress(err, "the keys work again")
}
