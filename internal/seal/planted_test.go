package seal_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/sutlerhq/sutler/internal/database"
	"github.com/sutlerhq/sutler/internal/database/dbtest"
	"github.com/sutlerhq/sutler/internal/fault"
	"github.com/sutlerhq/sutler/internal/seal"
)

// Who can write the store, but has no master key, can make neither a key that verifies nor one that authenticates.
func TestPlantedKeysAreRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, db *database.DB) {
		b, path := box(t, db)
		_, id, err := b.SigningKey(t.Context(), "invoice")
		_, macErr := b.MACKey(t.Context(), "audit")
		mine, keyErr := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err := errors.Join(err, macErr, keyErr); err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKIXPublicKey(&mine.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		planted := base64.StdEncoding.EncodeToString(der)
		plant(t, db, `INSERT INTO purpose_keys (id, algorithm, purpose, number, public, private, created_at) VALUES ('key_junk', 'es256', 'invoice', 0, ?, 'junk', 1)`, planted)
		plant(t, db, `INSERT INTO purpose_keys (id, algorithm, purpose, number, public, private, created_at) VALUES ('key_empty', 'es256', 'audit', 0, ?, '', 1)`, planted)
		plant(t, db, `INSERT INTO purpose_keys (id, algorithm, purpose, number, public, private, created_at)
 SELECT 'key_copy', algorithm, purpose, -1, public, private, 1 FROM purpose_keys WHERE id = ?`, id)
		plant(t, db, `UPDATE purpose_keys SET public = ? WHERE id = ?`, planted, id)
		plant(t, db, `UPDATE purpose_keys SET private = '' WHERE algorithm = 'hmac'`)
		fresh, err := seal.New(t.Context(), db, path, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []string{id, "key_junk", "key_empty", "key_copy"} {
			if key, err := fresh.PublicKey(t.Context(), id); !errors.Is(err, fault.NotFound) {
				t.Errorf("%s is trusted: %v, %v", id, key, err)
			}
		}
		if key, err := fresh.MACKey(t.Context(), "audit"); err == nil {
			t.Errorf("an emptied MAC key of %d bytes is used", len(key))
		}
	})
}

func plant(t *testing.T, db *database.DB, q string, args ...any) {
	t.Helper()
	if err := db.Tx(t.Context(), func(ctx context.Context) error { return db.From(ctx).Exec(q, args...).Error }); err != nil {
		t.Fatal(err)
	}
}
