// Package seal keeps secrets unreadable at rest.
//
// It owns the master key file, the data key of each org (a Tink AEAD keyset wrapped by the master key) and the keys that sign and
// authenticate (P-256, HMAC), all in the store. A value is sealed with its org's data key and the identity of its row as associated data:
// moved to another row or another org it does not open.
//
// It does not own what is sealed, nor who may see it in clear: callers ask identity.Can first.
package seal
