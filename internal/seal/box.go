package seal

import (
	"context"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"

	"github.com/tink-crypto/tink-go/v2/tink"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/fault"
)

// version opens every sealed text, so that another format can be told apart.
const version = "s1."

// Box seals and opens values and keeps signing keys. It is safe for concurrent use.
type Box struct {
	db     *database.DB
	master tink.AEAD
	// Keys that are committed in the store, by org and by "algorithm/purpose". A key whose transaction may still fail is never kept here:
	// what it sealed would be lost.
	data, purpose, public sync.Map
}

// New opens a box over the migrated store with the master key in the file at path (0600). With create, a missing file is made, unless the store
// already holds keys; without, it is an error that says how to make one. A master key that does not fit the store's keys is refused.
func New(ctx context.Context, db *database.DB, path string, create bool) (*Box, error) {
	b := &Box{db: db}
	used, err := b.anyDataKey(ctx)
	if err != nil {
		return nil, err
	}
	if b.master, err = masterKey(path, create && !used); err != nil {
		if create && used && fault.KindOf(err) == fault.NotFound {
			return nil, fault.Invalid.Wrap(err, "The store's secrets are sealed with a master key, and there is none at %s.", path).
				WithHint("Put the master key file back from its backup; a new one could not open what is stored.")
		}
		return nil, err
	}
	if _, err = b.dataKey(ctx, "", true); err != nil {
		return nil, fault.Invalid.Wrap(err, "The master key in %s does not open this store's keys.", path).
			WithHint("Use the master key file that was made together with this store.")
	}
	return b, nil
}

// Seal encrypts plain for one row, named like "binding/bnd_…/credentials". org "" is the market itself. It makes the org's data key when there is none,
// joining the caller's transaction when there is one. The result is text, fit for a TEXT column.
func (b *Box) Seal(ctx context.Context, org, row string, plain []byte) (string, error) {
	key, err := b.dataKey(ctx, org, true)
	if err != nil {
		return "", err
	}
	c, err := key.Encrypt(plain, identity(org, row))
	if err != nil {
		return "", fault.Internal.Wrap(err, "A value could not be sealed.")
	}
	return version + base64.RawURLEncoding.EncodeToString(c), nil
}

// Open decrypts what Seal gave for the same org and row. An empty text opens to nil.
func (b *Box) Open(ctx context.Context, org, row, sealed string) ([]byte, error) {
	if sealed == "" {
		return nil, nil
	}
	text, ok := strings.CutPrefix(sealed, version)
	c, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil {
		return nil, fault.Internal.Errorf("The sealed value of %s is no sealed value.", row)
	}
	key, err := b.dataKey(ctx, org, false)
	if err != nil {
		return nil, err
	}
	plain, err := key.Decrypt(c, identity(org, row))
	if err != nil {
		return nil, fault.Internal.Wrap(err, "The sealed value of %s does not open: it was sealed for another row or org, or was changed.", row)
	}
	return plain, nil
}

// identity is the associated data of a value: unambiguous for any two texts.
func identity(org, row string) []byte {
	return []byte(strconv.Itoa(len(org)) + ":" + org + "," + strconv.Itoa(len(row)) + ":" + row)
}
