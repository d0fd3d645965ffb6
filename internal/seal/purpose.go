package seal

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"

	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/ids"
)

const (
	es256 = "es256"
	hmac  = "hmac"

	keyBytes = 32 // of a MAC key
)

// kept is an opened key of one purpose.
type kept struct {
	id     string
	secret []byte // PKCS #8, or the MAC key itself
	signer *ecdsa.PrivateKey
}

// SigningKey gives the newest P-256 key for a purpose ("invoice", "audit", "issuer"), made at first use and sealed in the store, with its key id.
// It joins the caller's transaction when there is one.
func (b *Box) SigningKey(ctx context.Context, purpose string) (key *ecdsa.PrivateKey, id string, err error) {
	k, err := b.purposeKey(ctx, es256, purpose)
	if err != nil {
		return nil, "", err
	}
	return k.signer, k.id, nil
}

// MACKey gives the 32 byte key that authenticates for a purpose ("audit"), made at first use and sealed in the store.
func (b *Box) MACKey(ctx context.Context, purpose string) ([]byte, error) {
	k, err := b.purposeKey(ctx, hmac, purpose)
	if err != nil {
		return nil, err
	}
	return k.secret, nil
}

// HasMACKey tells whether the key of a purpose was made.
func (b *Box) HasMACKey(ctx context.Context, purpose string) (bool, error) {
	row, err := b.storedKey(ctx, hmac, purpose)
	if err != nil {
		return false, fault.Unavailable.Wrap(err, "The %s key for %s could not be read.", hmac, purpose)
	}
	return row.ID != "", nil
}

// PublicKey gives the public half of a signing key by its id, for verification. It comes out of the sealed private half: what the store shows in
// clear could be anybody's. A key that is not there, does not open or shows another public half is NotFound: this market never made it.
func (b *Box) PublicKey(ctx context.Context, id string) (*ecdsa.PublicKey, error) {
	if k, ok := b.public.Load(id); ok {
		return k.(*ecdsa.PublicKey), nil
	}
	row, err := b.storedSigningKey(ctx, id)
	if err != nil {
		return nil, fault.Unavailable.Wrap(err, "The key %s could not be read.", id)
	}
	if row.ID == "" {
		return nil, fault.NotFound.Errorf("There is no signing key %q.", id)
	}
	k, err := b.openKey(ctx, row)
	if err != nil {
		return nil, fault.NotFound.Wrap(err, "The key %s was not made by this market: its private half does not open.", id)
	}
	public := &k.signer.PublicKey
	if shown, err := publicText(public); err != nil || shown != row.Public {
		return nil, fault.NotFound.Wrap(err, "The key %s was changed: its two halves do not belong together.", id)
	}
	b.db.AfterCommit(ctx, func() { b.public.Store(id, public) })
	return public, nil
}

func (b *Box) purposeKey(ctx context.Context, algorithm, purpose string) (*kept, error) {
	if k, ok := b.purpose.Load(algorithm + "/" + purpose); ok {
		return k.(*kept), nil
	}
	row, err := b.storedKey(ctx, algorithm, purpose)
	if err == nil && row.ID == "" {
		if row, err = b.newKey(ctx, algorithm, purpose); err == nil {
			row, err = b.saveKey(ctx, row)
		}
	}
	if err != nil {
		return nil, fault.Internal.Wrap(err, "The %s key for %s could not be read.", algorithm, purpose)
	}
	k, err := b.openKey(ctx, row)
	if err != nil {
		return nil, err
	}
	b.db.AfterCommit(ctx, func() { b.purpose.Store(algorithm+"/"+purpose, k) })
	return k, nil
}

// openKey opens a stored key. An empty or short one is refused: anybody can compute a MAC with it.
func (b *Box) openKey(ctx context.Context, row keyRecord) (k *kept, err error) {
	k = &kept{id: row.ID}
	if k.secret, err = b.Open(ctx, "", keyRow(row.ID), row.Private); err != nil {
		return nil, err
	}
	ok := len(k.secret) == keyBytes
	if row.Algorithm == es256 {
		any, err := x509.ParsePKCS8PrivateKey(k.secret)
		if err != nil {
			return nil, fault.Internal.Wrap(err, "The signing key %s could not be read.", row.ID)
		}
		k.signer, ok = any.(*ecdsa.PrivateKey)
	}
	if !ok {
		return nil, fault.Internal.Errorf("The %s key %s is none: it was changed in the store.", row.Algorithm, row.ID)
	}
	return k, nil
}

// newKey makes a key and seals it; nothing is stored yet.
func (b *Box) newKey(ctx context.Context, algorithm, purpose string) (keyRecord, error) {
	row := keyRecord{ID: ids.New("key"), Algorithm: algorithm, Purpose: purpose}
	secret := make([]byte, keyBytes)
	_, _ = rand.Read(secret) // never fails: the runtime ends the process instead
	if algorithm == es256 {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return row, err
		}
		if row.Public, err = publicText(&key.PublicKey); err != nil {
			return row, err
		}
		if secret, err = x509.MarshalPKCS8PrivateKey(key); err != nil {
			return row, err
		}
	}
	var err error
	row.Private, err = b.Seal(ctx, "", keyRow(row.ID), secret)
	return row, err
}

// publicText is a public half as the store shows it.
func publicText(key *ecdsa.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	return base64.StdEncoding.EncodeToString(der), err
}

func keyRow(id string) string { return "key/" + id + "/private" }
