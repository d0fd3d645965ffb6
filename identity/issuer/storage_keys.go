package issuer

import (
	"context"
	"crypto/ecdsa"

	jose "github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/op"
)

type signingKey struct {
	id  string
	key *ecdsa.PrivateKey
}

func (k signingKey) ID() string                                  { return k.id }
func (k signingKey) Key() any                                    { return k.key }
func (k signingKey) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }

type publicKey struct{ signingKey }

func (k publicKey) Key() any                           { return &k.key.PublicKey }
func (k publicKey) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k publicKey) Use() string                        { return "sig" }

// SigningKey gives the key that tokens are signed with.
func (s *storage) SigningKey(ctx context.Context) (op.SigningKey, error) {
	key, id, err := s.keys.SigningKey(ctx, "issuer")
	if err != nil {
		return nil, s.broken(ctx, err)
	}
	return signingKey{id, key}, nil
}

// SignatureAlgorithms is ES256 alone.
func (s *storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

// KeySet is what relying parties verify with.
func (s *storage) KeySet(ctx context.Context) ([]op.Key, error) {
	key, id, err := s.keys.SigningKey(ctx, "issuer")
	if err != nil {
		return nil, s.broken(ctx, err)
	}
	return []op.Key{publicKey{signingKey{id, key}}}, nil
}
