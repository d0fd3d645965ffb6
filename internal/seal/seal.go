// Package seal keeps secrets unreadable at rest: an org's data key (Tink AEAD keyset, wrapped by the master key) seals each value with
// the identity of its row as associated data, so a value moved to another row does not open.
package seal

import (
	"context"
	"crypto/ecdsa"

	"github.com/sutlerhq/sutler/internal/database"
)

// Box seals and opens values and keeps signing keys. It is safe for concurrent use.
type Box struct{}

// New opens a box over the store with the master key in the file at path (0600). With create, a missing file is made; without, it is an error
// that says how to make one. A master key that does not fit the store's keys is refused.
func New(ctx context.Context, db *database.DB, path string, create bool) (*Box, error) {
	panic("unbuilt")
}

// Seal encrypts plain for one row, named like "binding/bnd_…/credentials". org "" is the market itself. It makes the org's data key when there is none,
// joining the caller's transaction when there is one. The result is text, fit for a TEXT column.
func (b *Box) Seal(ctx context.Context, org, row string, plain []byte) (string, error) {
	panic("unbuilt")
}

// Open decrypts what Seal gave for the same org and row. An empty text opens to nil.
func (b *Box) Open(ctx context.Context, org, row, sealed string) ([]byte, error) { panic("unbuilt") }

// SigningKey gives the newest P-256 key for a purpose ("invoice", "audit", "issuer"), made at first use and sealed in the store, with its key id.
func (b *Box) SigningKey(ctx context.Context, purpose string) (key *ecdsa.PrivateKey, id string, err error) {
	panic("unbuilt")
}

// PublicKey gives the public half of a key by its id, for verification.
func (b *Box) PublicKey(ctx context.Context, id string) (*ecdsa.PublicKey, error) { panic("unbuilt") }
