package providers

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"
)

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// Password derives 40 letters and digits (238 bits) from a binding's Seed, the same ones every time. They need no quoting in
// addresses, SQL or shells. use keeps several secrets of one binding apart.
func Password(seed []byte, use string) (string, error) {
	stream, err := Key(seed, use, 160)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, c := range stream {
		if int(c) < 256-256%len(letters) && b.Len() < 40 { // the rest of the bytes would favour the first letters
			b.WriteByte(letters[int(c)%len(letters)])
		}
	}
	if b.Len() < 40 {
		return "", fmt.Errorf("derive a password for %s: too few bytes", use)
	}
	return b.String(), nil
}

// Key derives n bytes from a binding's Seed (HKDF with SHA-256), the same ones every time.
func Key(seed []byte, use string, n int) ([]byte, error) {
	if len(seed) < 16 {
		return nil, fmt.Errorf("derive a key for %s: the seed holds %d bytes, need 16 or more", use, len(seed))
	}
	return hkdf.Key(sha256.New, seed, nil, "sutler "+use, n)
}

// Name derives a name for the backend from one of our ids: a prefix of lower-case letters, then 26 letters and digits. Nothing that
// a user wrote can reach the backend's own namespace this way, whatever the id looks like.
func Name(prefix, id string) string {
	sum := sha256.Sum256([]byte(prefix + "\x00" + id))
	return prefix + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
}
