package seal

import (
	"bytes"
	"context"
	"encoding/base64"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/sutlerhq/sutler/internal/fault"
)

// dataKey gives the org's key. With create, one is made when there is none; many at once end with the same one.
func (b *Box) dataKey(ctx context.Context, org string, create bool) (tink.AEAD, error) {
	if k, ok := b.data.Load(org); ok {
		return k.(tink.AEAD), nil
	}
	wrapped, err := b.storedDataKey(ctx, org)
	if err == nil && wrapped == "" {
		if !create {
			return nil, fault.Internal.Errorf("The org %q has no data key, so nothing of it can be opened.", org)
		}
		if wrapped, err = b.newDataKey(org); err == nil {
			wrapped, err = b.saveDataKey(ctx, org, wrapped)
		}
	}
	if err != nil {
		return nil, fault.Internal.Wrap(err, "The data key of org %q could not be read.", org)
	}
	k, err := b.unwrap(org, wrapped)
	if err != nil {
		return nil, fault.Internal.Wrap(err, "The data key of org %q does not open with this master key.", org)
	}
	b.db.AfterCommit(ctx, func() { b.data.Store(org, k) })
	return k, nil
}

func (b *Box) newDataKey(org string) (string, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return "", err
	}
	var buf bytes.Buffer
	if err = h.WriteWithAssociatedData(keyset.NewBinaryWriter(&buf), b.master, identity(org, "data-key")); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(buf.Bytes()), nil
}

func (b *Box) unwrap(org, wrapped string) (tink.AEAD, error) {
	raw, err := base64.RawURLEncoding.DecodeString(wrapped)
	if err != nil {
		return nil, err
	}
	h, err := keyset.ReadWithAssociatedData(keyset.NewBinaryReader(bytes.NewReader(raw)), b.master, identity(org, "data-key"))
	if err != nil {
		return nil, err
	}
	return aead.New(h)
}
