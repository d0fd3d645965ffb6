// Package vault keeps large things as streams under a name: in a folder, or in a bucket of an S3 server.
//
// It owns that a thing is there whole or not at all, and that what is kept can be read with its key alone. It does not own which things there
// are, their keys, or when they may go.
package vault
