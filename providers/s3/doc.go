// Package s3 sells buckets of an S3 server (versitygw).
//
// An instance is a bucket that the administrator owns; a binding is an access key of its own, which the bucket's policy lets read, write and
// list in that bucket and nothing else. Unbind takes the key out of the policy, then removes it.
//
// It owns buckets, their policies and keys. It does not own the server, and keeps nothing in this process but whose turn it is: the policy
// itself says whether an instance is open, may only be read, or is suspended.
package s3
