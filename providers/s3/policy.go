package s3

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/sutlerhq/sutler/internal/fault"
)

// mode is how far an instance is open. The bucket's policy is where it is kept, so that no call needs to know what was done before.
type mode int

const (
	open   mode = iota // keys may read and write
	frozen             // past the plan: keys may read and delete
	shut               // suspended: nobody may do anything
)

// statement is one rule of a bucket's policy.
type statement struct {
	Effect    string
	Principal any
	Action    []string
	Resource  []string
}

type document struct {
	Version   string
	Statement []statement
}

// What keys may do with the bucket and with its objects. Everything about policies, access lists, versions, locks and notifications is the
// administrator's alone: with it a tenant could let others in, or keep data that nobody can remove.
func bucketActions() []string {
	return []string{"s3:GetBucketLocation", "s3:ListBucket", "s3:ListBucketMultipartUploads", "s3:ListBucketVersions"}
}

func objectActions(m mode) []string {
	list := []string{
		"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:DeleteObjectVersion", "s3:GetObject", "s3:GetObjectAttributes", "s3:GetObjectTagging",
		"s3:GetObjectVersion", "s3:ListMultipartUploadParts",
	}
	if m == open {
		list = append(list, "s3:DeleteObjectTagging", "s3:PutObject", "s3:PutObjectTagging")
	}
	return list
}

// hidden is where versitygw keeps what it is still writing: a folder in the bucket, which its lists leave out. What an app puts there would be
// stored for nothing, and neither counted, nor watched, nor in any backup.
const hidden = ".sgwtmp"

// written is the policy for a mode and keys; empty when nobody is to be let in and nothing need be remembered.
func written(bucket string, m mode, keys []string) (string, error) {
	arn := "arn:aws:s3:::" + bucket
	var doc document
	switch {
	case m == shut:
		doc.Statement = []statement{{"Deny", "*", []string{"s3:*"}, []string{arn, arn + "/*"}}}
	case len(keys) == 0:
		return "", nil
	default:
		who := map[string][]string{"AWS": slices.Sorted(slices.Values(keys))}
		doc.Statement = []statement{ // the last one tells the mode
			{"Deny", "*", []string{"s3:*"}, []string{arn + "/" + hidden, arn + "/" + hidden + "/*"}},
			{"Allow", who, bucketActions(), []string{arn}},
			{"Allow", who, objectActions(m), []string{arn + "/*"}},
		}
	}
	doc.Version = "2012-10-17"
	text, err := json.Marshal(doc)
	return string(text), err
}

// policy reads the bucket's policy and the mode that it stands for.
func (s session) policy(ctx context.Context, bucket string) (string, mode, error) {
	text, err := s.GetBucketPolicy(ctx, bucket)
	if said(err, "NoSuchBucketPolicy") {
		return "", open, nil
	}
	if err != nil || text == "" {
		return "", open, err
	}
	var doc document
	if err := json.Unmarshal([]byte(text), &doc); err != nil || len(doc.Statement) == 0 {
		return text, shut, nil //nolint:nilerr // whoever wrote a policy that we cannot read did not mean it to be opened by us
	}
	last := doc.Statement[len(doc.Statement)-1]
	switch {
	case last.Effect == "Deny":
		return text, shut, nil
	case !slices.Contains(last.Action, "s3:PutObject"):
		return text, frozen, nil
	}
	return text, open, nil
}

// admit writes the policy for the keys that the instance has, without one of them. It looks again whether that is what stands and still right:
// another process may have made or removed a key meanwhile.
func (s session) admit(ctx context.Context, instance string, m mode, without string) error {
	bucket := bucketOf(instance)
	for range 10 {
		all, err := s.keys.list(ctx, keysOf(instance))
		if err != nil {
			return err
		}
		want, err := written(bucket, m, slices.DeleteFunc(all, func(k string) bool { return k == without }))
		if err != nil {
			return err
		}
		have, _, err := s.policy(ctx, bucket)
		if err != nil || have == want {
			return err
		}
		err = s.SetBucketPolicy(ctx, bucket, want)
		if err != nil && !said(err, "MalformedPolicy") { // a key that has just gone
			return err
		}
	}
	return fault.Unavailable.Errorf("The bucket's policy is being changed by somebody else; it is tried again.")
}
